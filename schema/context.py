"""What the fields of the types ask of a request; the resolvers fill it."""

from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Protocol

import strawberry

from catalogue.endpoint import EndpointList
from catalogue.history import HealthBucket, Incident
from catalogue.snapshot import ProviderState, Snapshot
from catalogue.vocabulary import UptimeWindow


class RequestContext(Protocol):
    """One operation's view of the catalogue, and the lookups that leave it, batched."""

    @property
    def snapshot(self) -> Snapshot:
        """The catalogue as this caller sees it, the same for the whole operation."""

    def now(self) -> datetime:
        """The time in UTC."""

    def provider(self, provider_id: str) -> ProviderState:
        """A provider, also one that a stored change still names and the configuration no longer does."""

    def health(self, provider_id: str, window: UptimeWindow) -> Awaitable[Sequence[HealthBucket]]:
        """A provider's health over time, oldest first."""

    def incidents(self, provider_id: str, limit: int) -> Awaitable[Sequence[Incident]]:
        """A provider's incidents, newest first."""

    def endpoints(self, model_id: str) -> Awaitable[EndpointList]:
        """A model's endpoints, read on demand."""


Info = strawberry.Info[RequestContext, object]

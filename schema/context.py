"""The request context as the types see it. The resolvers implement it."""

from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Protocol

import strawberry

from catalogue.endpoint import EndpointList
from catalogue.history import HealthBucket, Incident
from catalogue.position import Position
from catalogue.provider import ProviderState
from catalogue.snapshot import Snapshot
from catalogue.vocabulary import UptimeWindow


class RequestContext(Protocol):
    """The data that the types of one operation read."""

    @property
    def snapshot(self) -> Snapshot:
        """The catalogue as this caller sees it. It stays the same for the whole operation."""

    def now(self) -> datetime:
        """Return the time in UTC."""

    def provider(self, provider_id: str) -> ProviderState:
        """Return a provider. One that only a stored change still names is shown as not configured."""

    def health(self, provider_id: str, window: UptimeWindow) -> Awaitable[Sequence[HealthBucket]]:
        """Return a provider's health over time, oldest first."""

    def incidents(self, provider_id: str, limit: int) -> Awaitable[Sequence[Incident]]:
        """Return a provider's incidents, newest first."""

    def oldest(self) -> Awaitable[Position]:
        """Return the oldest position from which the change log can be resumed."""

    def endpoints(self, model_id: str) -> Awaitable[EndpointList]:
        """Return a model's endpoints, read on demand."""


Info = strawberry.Info[RequestContext, object]

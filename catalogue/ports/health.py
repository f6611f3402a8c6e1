"""Health over time: where checks and incidents are stored and read."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from catalogue.history import HealthBucket, Incident, Probe, Span
from catalogue.vocabulary import UptimeWindow


class HealthHistory(Protocol):
    """Where health over time is read."""

    async def health(
        self, provider_ids: Sequence[str], window: UptimeWindow, now: datetime
    ) -> Mapping[str, Sequence[HealthBucket]]:
        """The buckets of each provider, oldest first, spans without a probe included."""

    async def incidents(self, provider_ids: Sequence[str], limit: int) -> Mapping[str, Sequence[Incident]]:
        """Each provider's incidents, newest first."""


class HealthRecords(HealthHistory, Protocol):
    """Where health over time is stored as well. Every method may raise a StoreError."""

    async def record(self, probes: Sequence[Probe], spans: Sequence[Span] = ()) -> None:
        """Count probes and the time between them."""

    async def open_incident(self, incident: Incident) -> None:
        """Store that a provider went down, or, with `ended_at`, that the incident of this id is over."""

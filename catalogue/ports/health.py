"""Where health over time is read."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from catalogue.history import HealthBucket, Incident
from catalogue.vocabulary import UptimeWindow


class HealthHistory(Protocol):
    """The part of a store that answers questions about health over time."""

    async def health(
        self, provider_ids: Sequence[str], window: UptimeWindow, now: datetime
    ) -> Mapping[str, Sequence[HealthBucket]]:
        """The buckets of each provider, oldest first, spans without a probe included."""

    async def incidents(self, provider_ids: Sequence[str], limit: int) -> Mapping[str, Sequence[Incident]]:
        """Each provider's incidents, newest first."""

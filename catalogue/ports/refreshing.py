"""Where an admin refreshes lists and decides on held-back ones."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from catalogue.provider import ProviderState
from catalogue.refresh import ProviderRefresh, RefreshProgress


class Refresher(Protocol):
    """Where an admin sets things going."""

    async def refresh(self, provider_ids: Sequence[str], *, force: bool) -> Sequence[ProviderRefresh]:
        """Fetch lists now, or only those past their lifetime; bounded, in the order of the ids."""

    def progress(self) -> AsyncIterator[RefreshProgress]:
        """The steps of refreshes from now on."""

    async def resolve_quarantine(self, quarantine_id: str, *, accept: bool) -> ProviderState:
        """Accept or discard a held-back list; BadUserInput when no such one waits (any more)."""

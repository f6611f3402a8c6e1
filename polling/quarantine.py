"""The ward of one provider: holds back a suspicious list until an admin decides, or a later list clears it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from catalogue.facts import ModelFacts
from catalogue.guard import GuardLimits, suspicion
from catalogue.health import Problem, Quarantine
from catalogue.listing import Listing, merged
from catalogue.ports import Store
from catalogue.vocabulary import ProviderErrorCode
from polling.clock import Clock


@dataclass(frozen=True, slots=True)
class Held:
    """A held-back list and what accepting it would make of the provider's listing."""

    quarantine: Quarantine
    listing: Listing


class Ward:
    """Decides on new lists, and remembers the one that waits and the one that was discarded."""

    def __init__(
        self, *, provider_id: str, store: Store, clock: Clock, limits: GuardLimits, held: Held | None = None
    ) -> None:
        self._provider_id = provider_id
        self._store = store
        self._clock = clock
        self._limits = limits
        self._held = held
        self._discarded: Listing | None = None

    @property
    def quarantine(self) -> Quarantine | None:
        """The list that waits for a decision."""
        return self._held.quarantine if self._held else None

    def problem(self) -> Problem | None:
        """What readers are told while a list is held back or was discarded."""
        if self._held is not None:
            message = f"{self._held.quarantine.reason} It is held back until an admin decides."
        elif self._discarded is not None:
            message = "An admin discarded the provider's present list; the last good one is kept."
        else:
            return None
        return Problem(code=ProviderErrorCode.SUSPICIOUS, message=message, retryable=False, at=self._clock.now())

    async def holds(self, before: Listing, rows: Sequence[ModelFacts], *, reference: Listing | None = None) -> bool:
        """Whether a new list must not be served; a list that is fine clears whatever was held.

        It is measured by `reference` where that is given, else by the present listing.
        """
        doubt = await asyncio.to_thread(suspicion, reference or before, rows, self._limits)
        if doubt is None:
            await self.clear()
            return False
        listing = await asyncio.to_thread(merged, before, rows, at=self._clock.now())
        if self._discarded is not None and await asyncio.to_thread(_same, self._discarded, listing):
            return True
        if self._held is None or not await asyncio.to_thread(_same, self._held.listing, listing):
            quarantine = Quarantine(
                id=uuid4().hex,
                provider_id=self._provider_id,
                reason=doubt.reason,
                at=self._clock.now(),
                model_count=len(rows),
                added=doubt.added,
                removed=doubt.removed,
                repriced=doubt.repriced,
                sample=doubt.sample,
            )
            self._discarded = None
            await self._hold(Held(quarantine, listing))
        return True

    async def release(self) -> Listing | None:
        """Accept the held list: the listing to be served, which is then held no longer."""
        held = self._held
        await self.clear()
        return held.listing if held else None

    async def discard(self) -> None:
        """Reject the held list; the same one coming again is not held anew."""
        held = self._held
        await self.clear()
        self._discarded = held.listing if held else None

    async def clear(self) -> None:
        """Forget what was held or discarded."""
        self._discarded = None
        if self._held is not None:
            await self._hold(None)

    async def _hold(self, held: Held | None) -> None:
        await self._store.hold(self._provider_id, held.quarantine if held else None, held.listing if held else None)
        self._held = held


def _same(one: Listing, other: Listing) -> bool:
    return one.models == other.models and one.gone == other.gone

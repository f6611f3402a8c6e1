"""The ward of one provider: holds back a suspicious list until an admin decides, or a later list clears it."""

import asyncio
import gc
from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

import structlog

from catalogue.facts import ModelFacts
from catalogue.guard import GuardLimits, Suspicion, suspicion
from catalogue.health import Problem, Quarantine
from catalogue.listing import Listing, merged
from catalogue.ports.clock import Clock
from catalogue.ports.store import Held, Store
from upstream import problems

log = structlog.get_logger(__name__)


class Ward:
    """Decides on new lists, and remembers the one that waits or was discarded, and when it last came."""

    def __init__(
        self, *, provider_id: str, store: Store, clock: Clock, limits: GuardLimits, held: Held | None = None
    ) -> None:
        self._provider_id = provider_id
        self._store = store
        self._clock = clock
        self._limits = limits
        self._held = held

    @property
    def quarantine(self) -> Quarantine | None:
        """The list that waits for a decision."""
        return self._waiting.quarantine if self._waiting else None

    @property
    def _waiting(self) -> Held | None:
        return self._held if self._held and not self._held.discarded else None

    def problem(self) -> Problem | None:
        """What readers are told while a list is held back or was discarded."""
        return problems.of_held(self._held, at=self._clock.now()) if self._held else None

    async def holds(self, before: Listing, rows: Sequence[ModelFacts], *, reference: Listing | None = None) -> bool:
        """Whether a new list must not be served; a list that is fine clears whatever was held.

        It is measured by `reference` where that is given, else by the present listing.
        """
        doubt = await asyncio.to_thread(suspicion, reference or before, rows, self._limits)
        if doubt is None:
            await self.clear()
            return False
        listing = await asyncio.to_thread(merged, before, rows, at=self._clock.now())
        if self._held is None or not await asyncio.to_thread(_same, self._held.listing, listing):
            held = Held(self._quarantine(doubt, len(rows)), listing)
            await self._hold(held)
            gc.freeze()  # it may wait for days, and would cost each collection until then a look
            _tell("list_held_back", held)
        else:
            self._held = replace(self._held, listing=replace(self._held.listing, as_of=listing.as_of))
        return True

    async def release(self) -> Listing | None:
        """Accept the held list: the listing to be served, which is then held no longer."""
        waiting = self._waiting
        if waiting is None:
            return None
        await self._hold(None)
        _tell("list_released", waiting)
        return waiting.listing

    async def discard(self) -> None:
        """Reject the held list; the same one coming again is not held anew."""
        waiting = self._waiting
        if waiting is not None:
            await self._hold(replace(waiting, discarded=True))
            _tell("list_discarded", waiting)

    async def clear(self) -> None:
        """Forget what was held or discarded, for the provider's list is in order."""
        held = self._held
        if held is not None:
            await self._hold(None)
            _tell("list_in_order_again", held)

    def _quarantine(self, doubt: Suspicion, count: int) -> Quarantine:
        return Quarantine(
            id=uuid4().hex,
            provider_id=self._provider_id,
            reason=doubt.reason,
            at=self._clock.now(),
            model_count=count,
            added=doubt.added,
            removed=doubt.removed,
            repriced=doubt.repriced,
            sample=doubt.sample,
        )

    async def _hold(self, held: Held | None) -> None:
        await self._store.hold(self._provider_id, held)
        self._held = held


def _tell(event: str, held: Held) -> None:
    of = held.quarantine
    log.warning(
        event,
        provider=of.provider_id,
        reason=of.reason,
        models=of.model_count,
        added=of.added,
        removed=of.removed,
        repriced=of.repriced,
    )


def _same(one: Listing, other: Listing) -> bool:
    return one.models == other.models and one.gone == other.gone

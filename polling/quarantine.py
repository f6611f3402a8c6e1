"""The quarantine gate of one provider: a suspicious list waits until an admin decides or a later list clears it."""

import asyncio
from dataclasses import asdict, replace
from uuid import uuid4

import structlog

from catalogue.diff import tracked
from catalogue.health import Problem, Quarantine, Suspicion
from catalogue.listing import Listing
from catalogue.ports.clock import Clock
from catalogue.ports.revisions import Held, Revisions
from upstream import problems

log = structlog.get_logger(__name__)


class QuarantineGate:
    """Remembers the list that waits or was discarded, and when it last came."""

    def __init__(self, *, provider_id: str, revisions: Revisions, clock: Clock, held: Held | None = None) -> None:
        self._provider_id = provider_id
        self._revisions = revisions
        self._clock = clock
        self._held = held

    @property
    def waiting(self) -> Held | None:
        """The list that waits for a decision."""
        return self._held if self._held and not self._held.discarded else None

    @property
    def quarantine(self) -> Quarantine | None:
        """The changes that it would make, for the admin who decides."""
        return self.waiting.quarantine if self.waiting else None

    def problem(self) -> Problem | None:
        """The problem that readers are shown while a list is held back or was discarded."""
        return problems.of_held(self._held, at=self._clock.now()) if self._held else None

    async def hold(self, suspected: Suspicion, listing: Listing, model_count: int) -> None:
        """Hold a list back, unless it is the one that is held or was discarded already."""
        at = self._clock.now()
        if self._held is not None and await asyncio.to_thread(_same, self._held.listing, listing):
            self._held = replace(self._held, as_of=at)
            return
        quarantine = Quarantine(
            id=uuid4().hex, provider_id=self._provider_id, at=at, model_count=model_count, **asdict(suspected)
        )
        held = Held(quarantine, listing, at)
        await self._store(held)
        _log("list_held_back", held)

    async def discard(self) -> None:
        """Reject the waiting list. The same list is not held again when it comes again."""
        waiting = self.waiting
        if waiting is not None:
            await self._store(replace(waiting, discarded=True))
            _log("list_discarded", waiting)

    async def clear(self, *, accepted: bool = False) -> None:
        """Forget the held-back or discarded list, because it is accepted or a list in order has come."""
        held = self._held
        if held is not None:
            await self._store(None)
            _log("list_released" if accepted else "list_in_order_again", held)

    async def _store(self, held: Held | None) -> None:
        await self._revisions.hold(self._provider_id, held)
        self._held = held


def _log(event: str, held: Held) -> None:
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
    return one.gone == other.gone and tracked(one.models) == tracked(other.models)

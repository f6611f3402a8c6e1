"""The one place where a revision is made: compare, store, swap, tell; in that order, one at a time."""

import asyncio
import gc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from types import MappingProxyType

from catalogue.change import Change
from catalogue.diff import diff
from catalogue.ports import Commit, Store, Stored
from catalogue.snapshot import ProviderState, Snapshot
from polling.clock import Clock

Told = Callable[[Sequence[Change]], None]
"""Is called with changes that are stored and in the snapshot."""


class Ledger:
    """Holds the current snapshot; every state of a provider enters it through `publish`.

    It starts from the states as they were stored, judged as of then: what differs by now is to be published, so that
    followers are told of it.
    """

    def __init__(self, *, store: Store, stored: Stored, states: Iterable[ProviderState], clock: Clock) -> None:
        now = clock.now()
        told = stored.updated_at or now
        self._store = store
        self._clock = clock
        self._turn = asyncio.Lock()
        self._listeners: list[Told] = []
        self._snapshot = Snapshot(
            revision=stored.revision,
            seq=stored.seq,
            epoch=stored.epoch,
            updated_at=min(told, now) if stored.updated_at else None,
            judged_at=now,
            providers=MappingProxyType({state.id: state.judged(told) for state in states}),
        )

    @property
    def snapshot(self) -> Snapshot:
        """The catalogue now; replaced in one assignment, never changed."""
        return self._snapshot

    def listen(self, told: Told) -> None:
        """Have every stored batch of changes told to a function."""
        self._listeners.append(told)

    async def publish(
        self, provider_id: str, change: Callable[[ProviderState], ProviderState] | None = None
    ) -> Sequence[Change]:
        """Bring a provider's state forward, or only judge it anew, and return what that changed, as stored.

        Equal facts and statuses make no revision: the snapshot then merely tells the newer times of checks.
        """
        # A caller that goes away must not leave a revision stored but not served.
        return await asyncio.shield(asyncio.create_task(self._publish(provider_id, change)))

    async def _publish(
        self, provider_id: str, change: Callable[[ProviderState], ProviderState] | None
    ) -> Sequence[Change]:
        async with self._turn:
            return await self._revise(provider_id, change)

    async def _revise(
        self, provider_id: str, change: Callable[[ProviderState], ProviderState] | None
    ) -> Sequence[Change]:
        current = self._snapshot
        before = current.providers[provider_id]
        after, changes = await asyncio.to_thread(self._compare, before, change)
        now = self._clock.now()
        relisted = after.listing.models is not before.listing.models
        snapshot = replace(current.with_provider(after), judged_at=now)
        if not changes and not relisted:
            if after.listing.as_of is not None and after.listing.as_of != before.listing.as_of:
                await self._store.confirm(provider_id, after.listing.as_of)
            self._snapshot = snapshot
            return ()
        numbered = tuple(c.model_copy(update={"seq": current.seq + n}) for n, c in enumerate(changes, start=1))
        commit = Commit(
            revision=current.revision + 1,
            at=now,
            changes=numbered,
            listing=after.listing if after.listing is not before.listing else None,
            standing=after.standing if after.standing.status is not before.standing.status else None,
        )
        await self._store.commit(commit)
        self._snapshot = replace(snapshot, revision=commit.revision, seq=current.seq + len(numbered), updated_at=now)
        for told in self._listeners:
            told(numbered)
        if relisted:
            gc.freeze()  # what a snapshot holds lives long: it need cost no later collection a look
        return numbered

    def _compare(
        self, before: ProviderState, change: Callable[[ProviderState], ProviderState] | None
    ) -> tuple[ProviderState, Sequence[Change]]:
        now = self._clock.now()
        after = (change(before) if change else before).judged(now)
        return after, diff(before, after, at=now)

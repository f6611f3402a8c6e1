"""The one place where a revision is made: compare, store, swap, tell; in that order, one at a time.

While the store fails, what is stored falls behind what is served: each provider's standing and verdicts go on, its list
does not. The first commit that succeeds again tells all that differs from what was stored last, so no change is lost.
What is served ahead of the store has an epoch of its own, so that cursors read with it are known to be of no log.
"""

import asyncio
import gc
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

import structlog

from backends.errors import StoreError
from catalogue.change import Change
from catalogue.diff import diff
from catalogue.index import index_of
from catalogue.ports.clock import Clock
from catalogue.ports.store import Commit, Store, Stored
from catalogue.snapshot import ProviderState, Snapshot

Advance = Callable[[ProviderState], ProviderState]
"""Brings a provider's state forward."""

Told = Callable[[Sequence[Change]], None]
"""Is called with changes that are stored and in the snapshot; with none when the store has caught up with it."""

log = structlog.get_logger(__name__)


class Ledger:
    """Holds the current snapshot; every state of a provider enters it through `publish`.

    It starts from the states that followers were told of last, judged as of then: what differs by now is to be
    published, so that they are told of it.
    """

    def __init__(self, *, store: Store, stored: Stored, states: Iterable[ProviderState], clock: Clock) -> None:
        now = clock.now()
        self._store = store
        self._store_fails = False
        self._clock = clock
        self._turn = asyncio.Lock()
        self._listeners: list[Told] = []
        self._epoch = stored.epoch
        self._ahead: set[str] = set()
        """The providers whose served state differs from the stored one in what is told."""
        self._unlogged = ""
        self._stored = {state.id: state.judged(stored.told.get(state.id, now)) for state in states}
        self._snapshot = Snapshot(
            revision=stored.revision,
            seq=stored.seq,
            epoch=stored.epoch,
            updated_at=min(stored.updated_at, now) if stored.updated_at else None,
            judged_at=now,
            providers=MappingProxyType(dict(self._stored)),
        )

    @property
    def snapshot(self) -> Snapshot:
        """The catalogue now; replaced in one assignment, never changed."""
        return self._snapshot

    def listen(self, told: Told) -> None:
        """Have every stored batch of changes told to a function."""
        self._listeners.append(told)

    async def publish(self, provider_id: str, advance: Advance | None = None) -> Sequence[Change]:
        """Bring a provider's state forward, or only judge it anew, and return what that changed, as stored.

        Equal facts and statuses make no revision: the snapshot then merely tells the newer times of checks. Raises
        StoreError where a new list could not be stored, which is then not served either.
        """
        # A caller that goes away must not leave a revision stored but not served.
        return await asyncio.shield(asyncio.create_task(self._publish(provider_id, advance)))

    async def _publish(self, provider_id: str, advance: Advance | None) -> Sequence[Change]:
        async with self._turn:
            return await self._revise(provider_id, advance)

    async def _revise(self, provider_id: str, advance: Advance | None) -> Sequence[Change]:
        served, stored, at = self._snapshot.providers[provider_id], self._stored[provider_id], self._clock.now()
        after, changes = await asyncio.to_thread(self._compare, stored, served, advance, at)
        relisted = after.listing.models is not served.listing.models
        try:
            following = await self._keep(stored, after, changes, at)
        except StoreError as error:
            self._note(error)
            kept = replace(after, listing=served.listing).judged(self._clock.now()) if relisted else after
            if changes:
                self._run_ahead(provider_id)
            await self._serve(self._snapshot.with_provider(kept))
            if relisted:
                raise
            return ()
        caught_up = self._ahead == {provider_id}
        self._ahead.discard(provider_id)
        await self._serve(following)
        self._stored[provider_id] = after
        if changes or caught_up:
            for told in self._listeners:
                told(changes)
        if relisted:
            gc.freeze()  # what a snapshot holds lives long: it need cost no later collection a look
        return changes

    def _compare(
        self, stored: ProviderState, served: ProviderState, advance: Advance | None, at: datetime
    ) -> tuple[ProviderState, Sequence[Change]]:
        after = (advance(served) if advance else served).judged(at)
        return after, diff(stored, after, at=at, after_seq=self._snapshot.seq)

    async def _keep(
        self, stored: ProviderState, after: ProviderState, changes: Sequence[Change], at: datetime
    ) -> Snapshot:
        """Store what differs from the stored state; gives the snapshot to be served then.

        `at` is as of when both were judged: a later moment would count as told what was not compared.
        """
        following = self._snapshot.with_provider(after)
        listing = after.listing
        if changes or listing.models is not stored.listing.models:
            commit = Commit(
                revision=following.revision + 1,
                at=at,
                changes=changes,
                listing=listing if listing is not stored.listing else None,
                standing=after.standing if after.standing.status is not stored.standing.status else None,
            )
            await self._store.commit(commit)
            self._note(None)
            return replace(following, revision=commit.revision, seq=following.seq + len(changes), updated_at=at)
        if listing.as_of is not None and listing.as_of != stored.listing.as_of:
            await self._store.confirm(after.id, listing.as_of)
            self._note(None)
        return following

    async def _serve(self, snapshot: Snapshot) -> None:
        epoch = self._unlogged if self._ahead else self._epoch
        judged = replace(snapshot, epoch=epoch, judged_at=self._clock.now())
        await asyncio.to_thread(index_of, judged)  # or the first reader would make the index on the event loop
        self._snapshot = judged

    def _run_ahead(self, provider_id: str) -> None:
        if not self._ahead:
            self._unlogged = secrets.token_hex(8)
        self._ahead.add(provider_id)

    def _note(self, error: StoreError | None) -> None:
        """Log once that the store begins to fail, and once that it works again."""
        fails = error is not None
        if fails and not self._store_fails:
            log.error("store_failing", error=str(error))
        elif self._store_fails and not fails:
            log.info("store_well")
        self._store_fails = fails

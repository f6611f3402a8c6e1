"""Makes revisions: compare, store, serve, notify; in that order, one at a time.

While the store fails, health and statuses are served ahead of it, lists are not. Positions given meanwhile lie beyond
the log's epoch. Once the store works, each provider's differences are stored under a new epoch: no change is lost, and
positions beyond the old epoch get one Resync.
"""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from catalogue.change import Change
from catalogue.diff import diff
from catalogue.observation import Decided, Observation, Restored
from catalogue.ports.clock import Clock
from catalogue.ports.errors import StoreError
from catalogue.ports.revisions import Commit, Revisions, StoredListing
from catalogue.position import Timeline
from catalogue.provider import ProviderState
from catalogue.reducer import after
from catalogue.snapshot import Snapshot
from catalogue.vocabulary import StatusCause

Listener = Callable[[Sequence[Change], Timeline], None]
"""Receives changes that are stored and served; an empty batch if only the timeline moved."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Current:
    """A `catalogue.ports.reading.Reader` of the state that the ledger replaces."""

    snapshot: Snapshot


class Ledger:
    """Moves the current state. It starts from the last published states; publish each provider's current one next."""

    def __init__(self, *, revisions: Revisions, current: Current, timeline: Timeline, clock: Clock) -> None:
        self._revisions, self._current, self._clock = revisions, current, clock
        self._turn = asyncio.Lock()
        self._listeners: list[Listener] = []
        self._stored = dict(current.snapshot.providers)
        revision = current.snapshot.revision
        self._number, self._logged, self._timeline = revision.number, revision.position, timeline
        self._ahead: set[str] = set()
        """Providers whose served state is not stored. While there are any, new positions lie beyond the log."""
        self._failing = False

    def listen(self, listener: Listener) -> None:
        """Call a function with every stored batch of changes."""
        self._listeners.append(listener)

    async def publish(self, provider_id: str, seen: Observation) -> Sequence[Change]:
        """Move a provider's state by an observation, and return the changes, as stored.

        Raises StoreError where a new list could not be stored; it is not served then.
        """
        # A caller that goes away must not leave a revision stored but not served.
        return await asyncio.shield(asyncio.create_task(self._publish(provider_id, seen)))

    async def _publish(self, provider_id: str, seen: Observation) -> Sequence[Change]:
        async with self._turn:
            at = self._clock.now()
            state = after(self._current.snapshot.providers[provider_id], seen, at=at)
            unconfigured = isinstance(seen, Restored) and not state.profile.configured
            served = self._current.snapshot.providers[provider_id]
            try:
                return await self._advance(state, at, StatusCause.CONFIGURATION if unconfigured else None)
            except StoreError:
                if isinstance(seen, Decided):  # nothing was decided: the list waits as before
                    self._show(served)
                raise

    async def evaluate(self) -> None:
        """Move statuses with the clock, and store states that could not be stored before."""
        async with self._turn:
            at = self._clock.now()
            for state in self._current.snapshot.providers.values():
                moved = state.at(at)
                if moved is not state or state.id in self._ahead:
                    await self._advance(moved, at)

    async def _advance(self, state: ProviderState, at: datetime, cause: StatusCause | None = None) -> Sequence[Change]:
        stored = self._stored[state.id]
        differs = state.lasting is not stored.lasting or state.id in self._ahead
        opens = secrets.token_hex(8) if differs and self._ahead else None
        timeline = self._timeline.opened(opens, self._logged.seq + 1) if opens else self._timeline
        since = timeline.end(self._logged.seq)
        changes = await asyncio.to_thread(diff, stored, state, at=at, since=since, cause=cause) if differs else []
        if not (changes or opens or state.lasting.listing is not stored.lasting.listing):
            self._stored[state.id] = replace(state, as_of=stored.as_of)
            await self._confirm(stored, state)
            self._show(state)
            return ()
        commit = self._commit(stored, state, changes, at, opens)
        try:
            await self._revisions.commit(commit)
        except StoreError as error:
            self._note(error)
            self._run_ahead(state, at, error)
            return ()
        self._note(None)
        self._number, self._timeline, self._logged = commit.revision, timeline, since.later(len(changes))
        self._stored[state.id] = state
        self._ahead.discard(state.id)
        self._show(state, at)
        for listener in self._listeners if changes or opens else ():
            listener(changes, self._timeline)
        return changes

    def _commit(
        self, stored: ProviderState, state: ProviderState, changes: Sequence[Change], at: datetime, opens: str | None
    ) -> Commit:
        before, now = stored.lasting, state.lasting
        relisted = now.listing is not before.listing
        moved = now.statuses.conditions.health is not before.statuses.conditions.health
        confirmed = None if state.as_of in (None, stored.as_of) else (now.profile.id, state.as_of)
        return Commit(
            follows=self._number,
            revision=self._current.snapshot.revision.number + bool(changes or relisted),
            at=at,
            changes=changes,
            listing=StoredListing(listing=now.listing, as_of=state.as_of) if relisted else None,
            confirmed=None if relisted else confirmed,
            health=state.health if moved else None,
            opens=opens,
        )

    async def _confirm(self, stored: ProviderState, state: ProviderState) -> None:
        if state.as_of is None or state.as_of == stored.as_of:
            return
        try:
            await self._revisions.confirm(state.id, state.as_of)
        except StoreError as error:
            self._note(error)
        else:
            self._note(None)
            self._stored[state.id] = state

    def _run_ahead(self, state: ProviderState, at: datetime, error: StoreError) -> None:
        """Serve a state that could not be stored; a new list is lost, and the error is raised again."""
        served = self._current.snapshot.providers[state.id]
        relisted = state.listing is not served.listing
        kept = replace(served, health=state.health).at(at) if relisted else state
        moved = kept.lasting is not served.lasting
        if moved:
            self._ahead.add(state.id)
        self._show(kept, at if moved else None)
        if relisted:
            raise error

    def _show(self, state: ProviderState, at: datetime | None = None) -> None:
        """Serve a state; with `at`, as a revision that was made then."""
        snapshot, revision = self._current.snapshot, None
        if at is not None:
            position = self._logged.later(1) if self._ahead else self._logged
            number = max(self._number, snapshot.revision.number + bool(self._ahead))
            revision = replace(snapshot.revision, number=number, position=position, updated_at=at)
        self._current.snapshot = snapshot.with_provider(state, revision=revision)

    def _note(self, error: StoreError | None) -> None:
        """Log once that the store begins to fail, and once that it works again."""
        if error is not None and not self._failing:
            log.error("store_failing", error=str(error))
        elif error is None and self._failing:
            log.info("store_well")
        self._failing = error is not None

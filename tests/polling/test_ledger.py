"""The ledger: what is stored is told, and what a failing store cannot keep is told once it works again."""

import asyncio
import gc
import time
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import cast
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from catalogue.change import Change, ModelAdded, ModelRemoved, StatusChanged
from catalogue.diff import tracked
from catalogue.facts import ModelFacts
from catalogue.listing import merged
from catalogue.observation import Answered, ListTaken, Observation, Restored
from catalogue.ports.errors import StoreUnusable
from catalogue.ports.revisions import Commit, Revisions
from catalogue.position import Epoch, Position, Timeline
from catalogue.provider import ProviderState
from catalogue.snapshot import Revision, snapshot_of
from catalogue.vocabulary import HealthStatus, ModelStatus
from polling.ledger import Current, Ledger
from tests.catalogue.replay import apply
from tests.catalogue.strategies import HOUR, NOW, PROVIDER, listing, lists, model, state
from tests.polling.still_clock import StillClock

ROWS = (model("a"), model("b"))
A = f"{PROVIDER}/a"
LONGEST_TURN = 0.02
"""Seconds."""


@dataclass
class FailingStore:
    """Keeps commits while it is well, and nothing while it is full."""

    full: bool = False
    commits: list[Commit] = field(default_factory=list)
    confirmations: list[datetime] = field(default_factory=list)

    async def commit(self, commit: Commit) -> None:
        self._write()
        self.commits.append(commit)

    async def confirm(self, provider_id: str, as_of: datetime) -> None:
        assert provider_id == PROVIDER
        self._write()
        self.confirmations.append(as_of)

    def _write(self) -> None:
        if self.full:
            raise StoreUnusable("The data folder is full.")

    @property
    def changes(self) -> list[Change]:
        return [change for commit in self.commits for change in commit.changes]


@dataclass
class World:
    """A ledger of one provider over a store that can fail."""

    rows: Iterable[ModelFacts] = ROWS
    store: FailingStore = field(default_factory=FailingStore)
    told: list[Change] = field(default_factory=list)
    clock: StillClock = field(default_factory=StillClock)

    def __post_init__(self) -> None:
        self.clock.start = NOW
        self.first = state(listing(*self.rows))
        self.timeline = Timeline((Epoch("e", 1),))
        self.current = Current(snapshot_of([self.first], number=7, position=Position("e", 40), updated_at=NOW))
        revisions = cast("Revisions", self.store)
        self.ledger = Ledger(revisions=revisions, current=self.current, timeline=self.timeline, clock=self.clock)
        self.ledger.listen(self._heard)

    def _heard(self, changes: Sequence[Change], timeline: Timeline) -> None:
        self.told.extend(changes)
        self.timeline = timeline

    @property
    def revision(self) -> Revision:
        return self.current.snapshot.revision

    @property
    def served(self) -> ProviderState:
        return self.current.snapshot.providers[PROVIDER]

    async def publish(self, seen: Observation) -> list[Change]:
        self.clock.advance(1)
        return list(await self.ledger.publish(PROVIDER, seen))

    async def turn(self, status: HealthStatus) -> list[Change]:
        """Have the provider's health become another one."""
        moved = replace(self.served, health=replace(self.served.health, status=status))
        return await self.publish(Restored(state=moved.at(self.clock.now())))

    async def give(self, *rows: ModelFacts) -> list[Change]:
        """Have the provider give another list."""
        following = merged(self.served.listing, rows, at=self.clock.now())
        return await self.publish(ListTaken(listing=following, latency_ms=1.0))

    async def confirm(self) -> list[Change]:
        """Have the provider give the same list once more."""
        return await self.publish(ListTaken(listing=self.served.listing, latency_ms=1.0))


async def test_changes_are_numbered_from_the_last_stored_one_on() -> None:
    one = World()
    changes = await one.turn(HealthStatus.DOWN)
    assert [c.position for c in changes] == [Position("e", seq) for seq in (41, 42, 43)]
    assert changes == one.told == one.store.changes
    assert (one.revision.number, one.revision.position) == (8, Position("e", 43))


async def test_an_observation_that_moves_nothing_lasting_makes_no_revision_and_writes_nothing() -> None:
    one = World()
    before = one.revision
    assert await one.publish(Answered(latency_ms=5.0)) == []
    assert one.revision is before
    assert one.served.health.last_checked == one.clock.now()
    assert (one.store.commits, one.store.confirmations) == ([], [])


async def test_evaluating_takes_no_step_where_no_status_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    one = World()
    before = one.current.snapshot
    monkeypatch.setattr("catalogue.provider.evaluate", Mock(side_effect=AssertionError))
    await one.ledger.evaluate()
    assert one.current.snapshot is before


async def test_evaluating_publishes_an_end_that_passed() -> None:
    one = World([model("a", expires_at=NOW + HOUR), model("b")])
    one.clock.advance(3600)
    await one.ledger.evaluate()
    assert [(c.kind, c.position.seq) for c in one.told] == [("STATUS_CHANGED", 41)]


async def test_while_the_store_fails_health_and_statuses_are_served_all_the_same() -> None:
    one = World()
    one.store.full = True
    assert await one.turn(HealthStatus.DOWN) == []
    assert one.served.health.status is HealthStatus.DOWN
    assert one.served.statuses.of(A).status is ModelStatus.UNAVAILABLE
    assert one.told == []


async def test_a_position_given_while_the_store_fails_is_beyond_the_log_for_good() -> None:
    one = World()
    one.store.full = True
    await one.turn(HealthStatus.DOWN)
    ahead = one.revision.position
    assert not one.timeline.holds(ahead, last=40)
    one.store.full = False
    await one.turn(HealthStatus.HEALTHY)
    for _ in range(2):
        await one.turn(HealthStatus.DEGRADED)
        await one.turn(HealthStatus.HEALTHY)
    last = one.revision.position
    assert last.seq > ahead.seq
    assert not one.timeline.holds(ahead, last=last.seq)
    assert one.timeline.holds(last, last=last.seq)
    assert one.timeline.holds(Position("e", 40), last=last.seq)


async def test_the_epoch_that_a_recovered_store_opens_is_stored_with_the_first_commit() -> None:
    one = World()
    one.store.full = True
    await one.turn(HealthStatus.DOWN)
    one.store.full = False
    await one.ledger.evaluate()
    (commit,) = one.store.commits
    assert commit.opens == one.revision.position.epoch != "e"
    assert {c.position.epoch for c in commit.changes} == {commit.opens}
    await one.turn(HealthStatus.HEALTHY)
    assert one.store.commits[-1].opens is None


async def test_a_list_that_cannot_be_stored_is_not_served_though_the_health_is() -> None:
    one = World()
    one.store.full = True
    await one.turn(HealthStatus.DEGRADED)
    following = merged(one.served.listing, [*ROWS, model("c")], at=NOW)
    with pytest.raises(StoreUnusable):
        await one.publish(ListTaken(listing=following, latency_ms=1.0))
    assert set(one.served.listing.models) == {A, f"{PROVIDER}/b"}
    assert one.served.health.status is HealthStatus.DEGRADED
    assert one.served.statuses.of(A).status is ModelStatus.LIMITED


async def test_a_list_that_cannot_be_stored_alone_moves_no_position() -> None:
    one = World()
    before = one.revision
    one.store.full = True
    with pytest.raises(StoreUnusable):
        await one.give(*ROWS, model("c"))
    assert one.revision is before


async def test_what_happened_meanwhile_is_published_once_the_store_works_again() -> None:
    one = World()
    one.store.full = True
    await one.turn(HealthStatus.DEGRADED)
    await one.turn(HealthStatus.DOWN)
    one.store.full = False
    await one.ledger.evaluate()
    assert [c.kind for c in one.told] == ["PROVIDER_HEALTH_CHANGED", "STATUS_CHANGED", "STATUS_CHANGED"]
    (commit,) = one.store.commits
    assert commit.health == one.served.health


async def test_what_went_back_meanwhile_is_no_change() -> None:
    one = World()
    one.store.full = True
    await one.turn(HealthStatus.DOWN)
    one.store.full = False
    assert await one.turn(HealthStatus.HEALTHY) == []


async def test_a_confirmation_that_cannot_be_stored_is_served_and_stored_later() -> None:
    one = World()
    one.store.full = True
    await one.confirm()
    assert one.served.as_of == one.clock.now()
    one.store.full = False
    await one.publish(Answered(latency_ms=1.0))
    assert one.store.confirmations == [one.served.as_of]


async def test_the_log_says_once_that_the_store_fails_and_once_that_it_is_well() -> None:
    one = World()
    with capture_logs() as logged:
        one.store.full = True
        for status in (HealthStatus.DEGRADED, HealthStatus.DOWN):
            await one.turn(status)
        one.store.full = False
        await one.ledger.evaluate()
        await one.turn(HealthStatus.HEALTHY)
    assert [(line["event"], line.get("error")) for line in logged] == [
        ("store_failing", "The data folder is full."),
        ("store_well", None),
    ]


async def test_a_caller_that_goes_away_leaves_no_revision_stored_but_not_served() -> None:
    one = World()
    leaving = asyncio.create_task(one.turn(HealthStatus.DOWN))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    await one.ledger.evaluate()
    assert one.told == one.store.changes
    assert one.served.health.status is HealthStatus.DOWN


async def test_whatever_happens_to_many_models_the_event_loop_is_not_held() -> None:
    many = [model(str(n)) for n in range(5_000)]
    renamed = [row.model_copy(update={"name": f"{row.name}!"}) for row in many]
    one = World(many)
    following = merged(one.served.listing, renamed, at=NOW)
    assert await _longest_turn(one.turn(HealthStatus.DOWN)) < LONGEST_TURN
    assert await _longest_turn(one.turn(HealthStatus.HEALTHY)) < LONGEST_TURN
    assert await _longest_turn(one.publish(ListTaken(listing=following, latency_ms=1.0))) < LONGEST_TURN


async def _longest_turn(work: Coroutine[object, object, object]) -> float:
    """The most seconds of its own running time that the event loop's thread takes for one turn."""
    turns = [time.thread_time()]

    async def turn() -> None:
        while True:
            await asyncio.sleep(0)
            turns.append(time.thread_time())

    gc.disable()  # it would look at the whole test run, in whichever thread
    turning = asyncio.create_task(turn())
    await work
    turning.cancel()
    gc.enable()
    return max(later - earlier for earlier, later in pairwise(turns))


steps = st.lists(st.tuples(st.booleans(), lists, st.sampled_from(HealthStatus)), max_size=5)


@given(lists, steps)
@settings(max_examples=50)
def test_after_a_failure_the_feed_leads_from_the_old_state_to_the_served_one(
    rows: list[ModelFacts], happened: list[tuple[bool, list[ModelFacts], HealthStatus]]
) -> None:
    one = World(rows)

    async def live() -> None:
        for full, listed, status in happened:
            one.store.full = full
            await one.turn(status)
            with suppress(StoreUnusable):
                await one.give(*listed)
        one.store.full = False
        await one.ledger.evaluate()

    with capture_logs():
        asyncio.run(live())
    feed = one.store.changes
    assert feed == one.told
    assert [c.position.seq for c in feed] == list(range(41, 41 + len(feed)))
    assert [one.timeline.at(c.position.seq) for c in feed] == [c.position for c in feed]
    assert tracked(apply(feed, one.first.listing.models)) == tracked(one.served.listing.models)
    assert _statuses(feed, one.first) == {i: one.served.statuses.of(i).status for i in one.served.listing.models}


def _statuses(feed: Iterable[Change], first: ProviderState) -> dict[str, ModelStatus]:
    """The statuses that a follower knows who began with the first state."""
    statuses = {id_: first.statuses.of(id_).status for id_ in first.listing.models}
    for change in feed:
        if isinstance(change, StatusChanged):
            assert statuses[change.model.facts.id] is change.before
            statuses[change.model.facts.id] = change.after
        elif isinstance(change, ModelAdded):
            statuses[change.model.facts.id] = change.model.status
        elif isinstance(change, ModelRemoved):
            del statuses[change.model.facts.id]
    return statuses

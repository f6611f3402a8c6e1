"""The ledger: what is stored is told, and what a failing store cannot keep is told once it works again."""

import asyncio
import gc
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from backends.errors import StoreUnusable
from catalogue.change import Change, ModelAdded, ModelRemoved, StatusChanged
from catalogue.diff import apply, tracked
from catalogue.facts import ModelFacts
from catalogue.listing import confirmed, merged
from catalogue.ports.store import Commit, Store, Stored
from catalogue.snapshot import ProviderState
from catalogue.vocabulary import HealthStatus, ModelStatus
from polling.ledger import Ledger
from tests.catalogue.strategies import NOW, PROVIDER, listing, lists, model, state
from tests.polling.still_clock import StillClock

Advance = Callable[[ProviderState], ProviderState]

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

    rows: Iterable[ModelFacts] = (model("a"), model("b"))
    store: FailingStore = field(default_factory=FailingStore)
    told: list[Change] = field(default_factory=list)
    clock: StillClock = field(default_factory=StillClock)

    def __post_init__(self) -> None:
        self.clock.start = NOW
        self.first = state(listing(*self.rows))
        stored = Stored(epoch="e", revision=7, seq=40, updated_at=NOW, listings={})
        self.ledger = Ledger(store=cast("Store", self.store), stored=stored, states=[self.first], clock=self.clock)
        self.ledger.listen(self.told.extend)

    @property
    def served(self) -> ProviderState:
        return self.ledger.snapshot.providers[PROVIDER]

    async def publish(self, advance: Advance) -> list[Change]:
        self.clock.advance(1)
        return list(await self.ledger.publish(PROVIDER, advance))

    def relisted(self, *rows: ModelFacts) -> Advance:
        return lambda before: replace(before, listing=merged(before.listing, rows, at=self.clock.now()))

    def confirmed(self, before: ProviderState) -> ProviderState:
        return replace(before, listing=confirmed(before.listing, at=self.clock.now()))


def turned(status: HealthStatus) -> Advance:
    return lambda before: replace(before, standing=replace(before.standing, status=status))


async def test_changes_are_numbered_from_the_last_stored_one_on() -> None:
    one = World()
    changes = await one.publish(turned(HealthStatus.DOWN))
    assert [c.seq for c in changes] == [41, 42, 43]
    assert changes == one.told == one.store.changes
    assert (one.ledger.snapshot.revision, one.ledger.snapshot.seq) == (8, 43)


async def test_while_the_store_fails_health_and_statuses_are_served_all_the_same() -> None:
    one = World()
    one.store.full = True
    assert await one.publish(turned(HealthStatus.DOWN)) == []
    assert one.served.standing.status is HealthStatus.DOWN
    assert one.served.verdict(f"{PROVIDER}/a").status is ModelStatus.UNAVAILABLE
    assert (one.ledger.snapshot.revision, one.ledger.snapshot.seq, one.told) == (7, 40, [])


async def test_a_list_that_cannot_be_stored_is_not_served_though_the_standing_is() -> None:
    one = World()
    one.store.full = True
    relisted = one.relisted(model("a"), model("b"), model("c"))
    with pytest.raises(StoreUnusable):
        await one.publish(lambda before: turned(HealthStatus.DEGRADED)(relisted(before)))
    assert set(one.served.listing.models) == {f"{PROVIDER}/a", f"{PROVIDER}/b"}
    assert one.served.standing.status is HealthStatus.DEGRADED
    assert one.served.verdict(f"{PROVIDER}/a").status is ModelStatus.LIMITED


async def test_what_happened_meanwhile_is_told_once_the_store_works_again() -> None:
    one = World()
    one.store.full = True
    await one.publish(turned(HealthStatus.DEGRADED))
    await one.publish(turned(HealthStatus.DOWN))
    one.store.full = False
    told = await one.publish(lambda before: before)
    assert [c.kind for c in told] == ["PROVIDER_HEALTH_CHANGED", "STATUS_CHANGED", "STATUS_CHANGED"]
    (commit,) = one.store.commits
    assert commit.standing == one.served.standing


async def test_what_went_back_meanwhile_is_not_told() -> None:
    one = World()
    one.store.full = True
    await one.publish(turned(HealthStatus.DOWN))
    one.store.full = False
    assert await one.publish(turned(HealthStatus.HEALTHY)) == []


async def test_a_confirmation_that_cannot_be_stored_is_served_and_stored_later() -> None:
    one = World()
    one.store.full = True
    await one.publish(one.confirmed)
    assert one.served.listing.as_of == one.clock.now()
    one.store.full = False
    await one.publish(lambda before: before)
    assert one.store.confirmations == [one.served.listing.as_of]


async def test_the_log_says_once_that_the_store_fails_and_once_that_it_is_well() -> None:
    one = World()
    with capture_logs() as logged:
        one.store.full = True
        for status in (HealthStatus.DEGRADED, HealthStatus.DOWN):
            await one.publish(turned(status))
        one.store.full = False
        await one.publish(lambda before: before)
        await one.publish(turned(HealthStatus.HEALTHY))
    assert [(line["event"], line.get("error")) for line in logged] == [
        ("store_failing", "The data folder is full."),
        ("store_well", None),
    ]


async def test_whatever_happens_to_many_models_the_event_loop_is_not_held() -> None:
    many = [model(str(n)) for n in range(5_000)]
    renamed = [row.model_copy(update={"name": f"{row.name}!"}) for row in many]
    one = World(many)
    for advance in (turned(HealthStatus.DOWN), turned(HealthStatus.HEALTHY), one.relisted(*renamed), one.relisted()):
        assert await _longest_turn(one.publish(advance)) < LONGEST_TURN


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
            try:
                await one.publish(lambda s, rows=listed, to=status: turned(to)(one.relisted(*rows)(s)))  # type: ignore[misc]
            except StoreUnusable:
                assert full
        one.store.full = False
        await one.publish(lambda before: before)

    with capture_logs():
        asyncio.run(live())
    feed = one.store.changes
    assert feed == one.told
    assert [c.seq for c in feed] == list(range(41, 41 + len(feed)))
    assert tracked(apply(feed, one.first.listing.models)) == tracked(one.served.listing.models)
    assert _statuses(feed, one.first) == {i: one.served.verdict(i).status for i in one.served.listing.models}


def _statuses(feed: Iterable[Change], first: ProviderState) -> dict[str, ModelStatus]:
    """The statuses that a follower knows who began with the first state."""
    statuses = {id_: first.verdict(id_).status for id_ in first.listing.models}
    for change in feed:
        if isinstance(change, StatusChanged):
            assert statuses[change.model.facts.id] is change.before
            statuses[change.model.facts.id] = change.after
        elif isinstance(change, ModelAdded):
            statuses[change.model.facts.id] = change.model.status
        elif isinstance(change, ModelRemoved):
            del statuses[change.model.facts.id]
    return statuses

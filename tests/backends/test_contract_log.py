"""The contract of every store: the log of changes is read in order, whole or marked as trimmed."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from backends.retention import Retention
from catalogue.change import (
    Change,
    DetailsChanged,
    ExpiryAnnounced,
    ExpiryWithdrawn,
    ModelAdded,
    ModelRemoved,
    PriceChanged,
    ProviderHealthChanged,
    Resync,
    StatusChanged,
)
from catalogue.facts import Price
from catalogue.health import Problem, Standing
from catalogue.ports.store import Store
from catalogue.vocabulary import BreakerState, Capability, HealthStatus, ModelStatus, ProviderErrorCode
from tests.backends.conftest import Seat
from tests.backends.samples import added, resync, revision
from tests.catalogue.strategies import NOW, PROVIDER, listing, model, state

DAY = timedelta(days=1)
FACTS = model(
    "a",
    price={"input": "0.00000012345678901234567890", "tiers": [{"above_prompt_tokens": 1, "input": "1E-9"}]},
    capabilities=frozenset({Capability.CHAT, Capability.VISION}),
    expires_at=NOW,
)
VIEW = state(listing(FACTS)).view(FACTS, NOW)
DOWN = Standing(
    provider_id=PROVIDER,
    status=HealthStatus.DOWN,
    since=NOW,
    breaker=BreakerState.OPEN,
    error=Problem(code=ProviderErrorCode.TIMEOUT, message="No answer.", retryable=True, at=NOW),
)
EVERY_KIND: tuple[Change, ...] = (
    ModelAdded(seq=1, at=NOW, provider_id=PROVIDER, model=VIEW),
    ModelRemoved(seq=2, at=NOW, provider_id=PROVIDER, model=VIEW),
    StatusChanged(
        seq=3,
        at=NOW,
        provider_id=PROVIDER,
        model=VIEW,
        before=ModelStatus.AVAILABLE,
        after=ModelStatus.DEPRECATED,
    ),
    PriceChanged(seq=4, at=NOW, provider_id=PROVIDER, model=VIEW, before=None, after=Price(input=Decimal("0.10"))),
    DetailsChanged(seq=5, at=NOW, provider_id=PROVIDER, model=VIEW, fields=("name", "lab")),
    ExpiryAnnounced(seq=6, at=NOW, provider_id=PROVIDER, model=VIEW, expires_at=NOW + DAY),
    ExpiryWithdrawn(seq=7, at=NOW, provider_id=PROVIDER, model=VIEW),
    ProviderHealthChanged(
        seq=8,
        at=NOW,
        provider_id=PROVIDER,
        standing=DOWN,
        model_count=1,
        before=HealthStatus.HEALTHY,
        after=HealthStatus.DOWN,
    ),
    Resync(seq=9, at=NOW, reason="The first list has come."),
)


async def filled(store: Store, count: int, *, at: datetime = NOW) -> None:
    """Commit one revision of so many changes, after what is there."""
    stored = await store.load()
    changes = [resync(stored.seq + n, at=at) for n in range(1, count + 1)]
    await store.commit(revision(stored.revision + 1, changes, at=at))


async def test_every_kind_of_change_comes_back_as_it_was(seat: Seat) -> None:
    await (await seat.open()).commit(revision(1, EVERY_KIND))
    page = await (await seat.open()).read(0, 100)
    assert tuple(page.changes) == EVERY_KIND
    assert [type(c) for c in page.changes] == [type(c) for c in EVERY_KIND]


@pytest.mark.parametrize(
    ("after", "limit", "seqs", "more"),
    [
        (0, 10, [1, 2, 3, 4, 5], False),
        (0, 5, [1, 2, 3, 4, 5], False),
        (0, 2, [1, 2], True),
        (2, 2, [3, 4], True),
        (3, 2, [4, 5], False),
        (5, 2, [], False),
        (99, 2, [], False),
    ],
)
async def test_a_page_follows_its_position(
    store: Store, after: int, limit: int, seqs: list[int], *, more: bool
) -> None:
    await filled(store, 5)
    page = await store.read(after, limit)
    assert [c.seq for c in page.changes] == seqs
    assert (page.trimmed, page.more) == (False, more)


async def test_an_empty_log_is_whole(store: Store) -> None:
    page = await store.read(0, 10)
    assert (page.changes, page.trimmed, page.more) == ((), False, False)


@pytest.mark.parametrize(("after", "trimmed"), [(0, True), (1, True), (2, False), (5, False)])
async def test_a_log_that_grew_too_long_loses_its_oldest_changes_and_says_so(
    seat: Seat, after: int, *, trimmed: bool
) -> None:
    store = await seat.open(Retention(log_length=3))
    await filled(store, 5)
    await store.trim(NOW)
    assert (await store.read(after, 10)).trimmed is trimmed
    assert [c.seq for c in (await store.read(2, 10)).changes] == [3, 4, 5]


async def test_old_changes_go_and_young_ones_stay(seat: Seat) -> None:
    store = await seat.open(Retention(log_age=30 * DAY))
    await filled(store, 2, at=NOW)
    await filled(store, 2, at=NOW + DAY)
    await store.trim(NOW + 30 * DAY)
    assert len((await store.read(0, 10)).changes) == 4
    await store.trim(NOW + 30 * DAY + timedelta(seconds=1))
    assert (await store.read(0, 10)).trimmed
    assert [c.seq for c in (await store.read(2, 10)).changes] == [3, 4]


async def test_a_log_trimmed_to_nothing_still_knows_where_it_ends(seat: Seat) -> None:
    store = await seat.open()
    await filled(store, 4)
    await store.trim(NOW + 1000 * DAY)
    assert (await store.read(3, 10)).trimmed
    assert not (await store.read(4, 10)).trimmed
    store = await seat.open()
    await filled(store, 1, at=NOW + 1000 * DAY)
    assert [c.seq for c in (await store.read(4, 10)).changes] == [5]


async def test_a_clock_that_went_back_leaves_no_hole(store: Store) -> None:
    for at in (NOW, NOW - 60 * DAY, NOW):
        await filled(store, 1, at=at)
    await store.trim(NOW)
    assert [c.seq for c in (await store.read(0, 10)).changes] == [1, 2, 3]


async def test_models_in_a_change_are_as_of_that_change(store: Store) -> None:
    await store.commit(revision(1, [added(1)], of=listing(model("m1", name="new name"))))
    (change,) = (await store.read(0, 1)).changes
    assert isinstance(change, ModelAdded)
    assert change.model.name == "m1"

"""The contract of every store: the log of changes is read in order, whole or marked as trimmed."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from backends.retention import Retention
from catalogue.change import (
    EVERYTHING,
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
from catalogue.health import Health, Problem, Problems
from catalogue.position import Position
from catalogue.vocabulary import BreakerState, Capability, HealthStatus, ModelStatus, ProviderErrorCode, StatusCause
from tests.backends.conftest import Seat, Store
from tests.backends.samples import EPOCH, added, resync, revision, seqs
from tests.catalogue.strategies import NOW, PROVIDER, listing, model, state

DAY = timedelta(days=1)
FACTS = model(
    "a",
    price={"input": "0.00000012345678901234567890", "tiers": [{"above_prompt_tokens": 1, "input": "1E-9"}]},
    capabilities=frozenset({Capability.CHAT, Capability.VISION}),
    expires_at=NOW,
)
VIEW = state(listing(FACTS)).view(FACTS, fallback=NOW)
DOWN = Health(
    provider_id=PROVIDER,
    status=HealthStatus.DOWN,
    since=NOW,
    breaker=BreakerState.OPEN,
    problems=Problems(call=Problem(code=ProviderErrorCode.TIMEOUT, message="No answer.", retryable=True, at=NOW)),
)
EVERY_KIND: tuple[Change, ...] = (
    ModelAdded(position=Position(EPOCH, 1), at=NOW, provider_id=PROVIDER, model=VIEW),
    ModelRemoved(position=Position(EPOCH, 2), at=NOW, provider_id=PROVIDER, model=VIEW),
    StatusChanged(
        position=Position(EPOCH, 3),
        at=NOW,
        provider_id=PROVIDER,
        model=VIEW,
        before=ModelStatus.AVAILABLE,
        after=ModelStatus.DEPRECATED,
        cause=StatusCause.ENDING,
    ),
    PriceChanged(
        position=Position(EPOCH, 4),
        at=NOW,
        provider_id=PROVIDER,
        model=VIEW,
        before=None,
        after=Price(input=Decimal("0.10")),
    ),
    DetailsChanged(position=Position(EPOCH, 5), at=NOW, provider_id=PROVIDER, model=VIEW, fields=("name", "lab")),
    ExpiryAnnounced(position=Position(EPOCH, 6), at=NOW, provider_id=PROVIDER, model=VIEW, expires_at=NOW + DAY),
    ExpiryWithdrawn(position=Position(EPOCH, 7), at=NOW, provider_id=PROVIDER, model=VIEW),
    ProviderHealthChanged(
        position=Position(EPOCH, 8),
        at=NOW,
        provider_id=PROVIDER,
        health=DOWN,
        model_count=1,
        before=HealthStatus.HEALTHY,
        after=HealthStatus.DOWN,
    ),
    Resync(position=Position(EPOCH, 9), at=NOW, reason="The first list has come."),
)


async def filled(store: Store, count: int, *, at: datetime = NOW) -> None:
    """Commit one revision of so many changes, after what is there."""
    stored = await store.load()
    changes = [resync(stored.seq + n, at=at) for n in range(1, count + 1)]
    await store.commit(revision(stored.revision + 1, changes, at=at))


async def test_every_kind_of_change_comes_back_as_it_was(seat: Seat) -> None:
    await (await seat.open()).commit(revision(1, EVERY_KIND))
    page = await (await seat.open()).read(0, 100, EVERYTHING)
    assert tuple(page.changes) == EVERY_KIND
    assert [type(c) for c in page.changes] == [type(c) for c in EVERY_KIND]


@pytest.mark.parametrize(
    ("after", "limit", "expected", "end"),
    [
        (0, 10, [1, 2, 3, 4, 5], 5),
        (0, 5, [1, 2, 3, 4, 5], 5),
        (0, 2, [1, 2], 2),
        (2, 2, [3, 4], 4),
        (3, 2, [4, 5], 5),
        (5, 2, [], 5),
        (99, 2, [], 99),
    ],
)
async def test_a_page_follows_its_position(store: Store, after: int, limit: int, expected: list[int], end: int) -> None:
    await filled(store, 5)
    page = await store.read(after, limit, EVERYTHING)
    assert (seqs(page.changes), page.trimmed, page.end) == (expected, False, end)


async def test_an_empty_log_is_whole(store: Store) -> None:
    page = await store.read(0, 10, EVERYTHING)
    assert (page.changes, page.trimmed, page.end) == ((), False, 0)


@pytest.mark.parametrize(("after", "trimmed"), [(0, True), (1, True), (2, False), (5, False)])
async def test_a_log_that_grew_too_long_loses_its_oldest_changes_and_says_so(
    seat: Seat, after: int, *, trimmed: bool
) -> None:
    store = await seat.open(Retention(log_length=3))
    await filled(store, 5)
    await store.trim(NOW)
    assert (await store.read(after, 10, EVERYTHING)).trimmed is trimmed
    assert seqs((await store.read(2, 10, EVERYTHING)).changes) == [3, 4, 5]


async def test_old_changes_go_and_young_ones_stay(seat: Seat) -> None:
    store = await seat.open(Retention(log_age=30 * DAY))
    await filled(store, 2, at=NOW)
    await filled(store, 2, at=NOW + DAY)
    await store.trim(NOW + 30 * DAY)
    assert len((await store.read(0, 10, EVERYTHING)).changes) == 4
    await store.trim(NOW + 30 * DAY + timedelta(seconds=1))
    assert (await store.read(0, 10, EVERYTHING)).trimmed
    assert seqs((await store.read(2, 10, EVERYTHING)).changes) == [3, 4]


async def test_a_log_trimmed_to_nothing_still_knows_where_it_ends(seat: Seat) -> None:
    store = await seat.open()
    await filled(store, 4)
    await store.trim(NOW + 1000 * DAY)
    assert (await store.read(3, 10, EVERYTHING)).trimmed
    assert not (await store.read(4, 10, EVERYTHING)).trimmed
    store = await seat.open()
    await filled(store, 1, at=NOW + 1000 * DAY)
    assert seqs((await store.read(4, 10, EVERYTHING)).changes) == [5]


async def test_a_clock_that_went_back_leaves_no_hole(store: Store) -> None:
    for at in (NOW, NOW - 60 * DAY, NOW):
        await filled(store, 1, at=at)
    await store.trim(NOW)
    assert seqs((await store.read(0, 10, EVERYTHING)).changes) == [1, 2, 3]


async def test_models_in_a_change_are_as_of_that_change(store: Store) -> None:
    await store.commit(revision(1, [added(1)], of=listing(model("m1", name="new name"))))
    (change,) = (await store.read(0, 1, EVERYTHING)).changes
    assert isinstance(change, ModelAdded)
    assert change.model.facts.name == "m1"

"""The contract of every store: what is committed is what the next process starts from.

It is long because listings, held-back lists, health and epochs are one state.
"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogue.change import EVERYTHING
from catalogue.facts import ModelFacts, Price
from catalogue.health import Health, Problem, Problems, Quarantine
from catalogue.listing import Listing, merged
from catalogue.ports.errors import StoreConflict
from catalogue.ports.revisions import Held
from catalogue.position import Epoch, Timeline
from catalogue.vocabulary import BreakerState, HealthStatus, ProviderErrorCode
from tests.backends.conftest import Seat, Store
from tests.backends.samples import EPOCH, added, kept, revision
from tests.catalogue.strategies import HOUR, NOW, PROVIDER, listing, lists, model

LATER = NOW + timedelta(minutes=10, microseconds=1)
A, B = model("a", price={"input": "1.2345678901234567890E-7", "output": "1.10"}), model("b")
QUARANTINE = Quarantine(
    id="q1",
    provider_id=PROVIDER,
    reason="The list is empty.",
    at=NOW,
    model_count=0,
    added=0,
    removed=2,
    repriced=0,
    sample=("removes acme/a",),
)


OTHER = Listing(provider_id="other", models=MappingProxyType({}), is_reference=True)


async def test_a_new_store_is_empty(seat: Seat) -> None:
    stored = await (await seat.open(begun=False)).load()
    assert (stored.revision, stored.seq, stored.updated_at, stored.list_ttl) == (0, 0, None, None)
    assert (stored.listings, stored.held, stored.healths, stored.published) == ({}, {}, {}, {})
    assert stored.timeline.epochs == ()


async def test_a_committed_revision_is_there_after_a_restart(seat: Seat) -> None:
    store = await seat.open()
    await store.commit(revision(1, [added(1), added(2)], of=listing(A, B), at=LATER))
    again = await (await seat.open()).load()
    assert (again.revision, again.seq, again.updated_at) == (1, 2, LATER)
    assert again.timeline == Timeline((Epoch(EPOCH, 1),))
    assert again.listings == {PROVIDER: kept(listing(A, B), LATER)}


async def test_a_revision_without_a_listing_leaves_the_listings(seat: Seat) -> None:
    store = await seat.open()
    await store.commit(revision(1, of=listing(A)))
    await store.commit(revision(2, [added(1)]))
    stored = await (await seat.open()).load()
    assert (stored.revision, stored.seq) == (2, 1)
    assert stored.listings == {PROVIDER: kept(listing(A))}


async def test_prices_come_back_to_the_last_digit(seat: Seat) -> None:
    await (await seat.open()).commit(revision(1, of=listing(A)))
    price = (await (await seat.open()).load()).listings[PROVIDER].listing.models[A.id].price
    assert isinstance(price, Price)
    assert price.input == Decimal("0.00000012345678901234567890")
    assert str(price.output) == "1.10"


async def test_null_empty_and_zero_stay_three_things(seat: Seat) -> None:
    unsaid, free = model("unsaid"), model("free", price={"input": "0"}, context_max=0, premium=False)
    await (await seat.open()).commit(revision(1, of=listing(unsaid, free)))
    models = (await (await seat.open()).load()).listings[PROVIDER].listing.models
    assert models[unsaid.id].price is None
    assert models[unsaid.id].premium is None
    assert models[free.id].price == Price(input=Decimal(0))
    assert (models[free.id].context_max, models[free.id].premium) == (0, False)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(versions=st.lists(lists, min_size=1, max_size=4))
async def test_any_row_of_lists_leaves_the_last_listing(seat: Seat, versions: list[list[ModelFacts]]) -> None:
    store = await seat.open()
    number = (await store.load()).revision
    current = Listing(provider_id=PROVIDER)
    for step, rows in enumerate(versions, start=1):
        current = merged(current, rows, at=NOW + step * timedelta(minutes=10))
        await store.commit(revision(number + step, of=current))
    assert (await (await seat.open()).load()).listings[PROVIDER] == kept(current)


async def test_a_listing_follows_the_one_that_was_loaded(seat: Seat) -> None:
    await (await seat.open()).commit(revision(1, of=listing(A, B)))
    store = await seat.open()
    before = (await store.load()).listings[PROVIDER].listing
    after = merged(before, [model("b", context_max=7), model("c")], at=LATER)
    await store.commit(revision(2, of=after))
    assert (await (await seat.open()).load()).listings[PROVIDER] == kept(after)


async def test_each_provider_has_its_own_listing(seat: Seat) -> None:
    store = await seat.open()
    await store.commit(revision(1, of=listing(A)))
    await store.commit(revision(2, of=OTHER, at=LATER))
    assert (await (await seat.open()).load()).listings == {PROVIDER: kept(listing(A)), "other": kept(OTHER, LATER)}


async def test_a_confirmed_list_is_as_of_the_later_moment(seat: Seat) -> None:
    store = await seat.open()
    await store.commit(revision(1, of=listing(A)))
    await store.confirm(PROVIDER, LATER)
    stored = await (await seat.open()).load()
    assert stored.listings == {PROVIDER: kept(listing(A), LATER)}
    assert stored.published == {PROVIDER: LATER}


async def test_a_revision_that_confirms_a_list_moves_it_to_the_later_moment(seat: Seat) -> None:
    store = await seat.open()
    await store.commit(revision(1, of=listing(A), health=DOWN))
    await store.commit(replace(revision(2, at=LATER), confirmed=(PROVIDER, LATER)))
    stored = await (await seat.open()).load()
    assert stored.listings == {PROVIDER: kept(listing(A), LATER)}
    assert stored.published == {PROVIDER: LATER}


async def test_confirming_an_unknown_list_changes_nothing(store: Store) -> None:
    await store.confirm("nobody", LATER)
    stored = await store.load()
    assert (stored.listings, stored.healths) == ({}, {})


@pytest.mark.parametrize(
    ("number", "seqs"), [(1, [3]), (3, [3]), (0, []), (2, [2]), (2, [4]), (2, [3, 5]), (2, [4, 3])]
)
async def test_a_revision_that_does_not_come_next_is_refused_whole(store: Store, number: int, seqs: list[int]) -> None:
    await store.commit(revision(1, [added(1), added(2)], of=listing(A)))
    with pytest.raises(StoreConflict):
        await store.commit(revision(number, [added(seq) for seq in seqs], of=listing(B)))
    stored = await store.load()
    assert (stored.revision, stored.seq) == (1, 2)
    assert stored.listings == {PROVIDER: kept(listing(A))}
    assert len((await store.read(0, 10, EVERYTHING)).changes) == 2


async def test_a_store_goes_on_after_a_refused_revision(store: Store) -> None:
    await store.commit(revision(1, of=listing(A, B)))
    with pytest.raises(StoreConflict):
        await store.commit(revision(9, of=listing(A)))
    after = merged(listing(A, B), [B], at=LATER)
    await store.commit(revision(2, of=after))
    assert (await store.load()).listings[PROVIDER] == kept(after)


DOWN = Health(
    provider_id=PROVIDER,
    status=HealthStatus.DOWN,
    since=NOW,
    last_checked=LATER,
    last_success_at=NOW - timedelta(days=1),
    latency_ms=12.5,
    consecutive_failures=3,
    breaker=BreakerState.OPEN,
    problems=Problems(
        call=Problem(code=ProviderErrorCode.TIMEOUT, message="No answer.", retryable=True, at=NOW, retry_after=2.5),
        dropped=Problem(code=ProviderErrorCode.MALFORMED, message="2 rows.", retryable=False, at=LATER),
    ),
    dropped_rows=2,
    quarantine=QUARANTINE,
)


async def test_a_health_is_there_after_a_restart_with_the_moment_it_was_published(seat: Seat) -> None:
    await (await seat.open()).commit(revision(1, of=listing(A), health=DOWN))
    stored = await (await seat.open()).load()
    assert (stored.healths, stored.published) == ({PROVIDER: DOWN}, {PROVIDER: NOW})


async def test_a_revision_of_the_same_status_leaves_the_health_and_moves_the_moment(seat: Seat) -> None:
    store = await seat.open()
    await store.commit(revision(1, health=DOWN))
    await store.commit(revision(2, [added(1)], at=LATER))
    stored = await (await seat.open()).load()
    assert (stored.healths, stored.published) == ({PROVIDER: DOWN}, {PROVIDER: LATER})


async def test_a_revision_of_one_provider_leaves_the_others(seat: Seat) -> None:
    store = await seat.open()
    await store.commit(revision(1, health=DOWN))
    await store.commit(revision(2, of=OTHER, at=LATER))
    stored = await (await seat.open()).load()
    assert stored.healths == {PROVIDER: DOWN, "other": Health(provider_id="other")}
    assert stored.published == {PROVIDER: NOW, "other": LATER}


async def test_only_the_health_of_registered_providers_is_kept(seat: Seat) -> None:
    store = await seat.open()
    await store.commit(revision(1, health=DOWN))
    await store.commit(revision(2, of=OTHER))
    await store.register([PROVIDER, "newer"], LATER, list_ttl=timedelta(seconds=7.5), opens="f" * 16)
    stored = await (await seat.open()).load()
    assert stored.list_ttl == timedelta(seconds=7.5)
    assert stored.healths == {PROVIDER: DOWN, "newer": Health(provider_id="newer")}
    assert stored.published == {PROVIDER: NOW, "newer": LATER}


async def test_a_held_back_list_is_there_after_a_restart_beside_the_served_one(seat: Seat) -> None:
    served = listing(A, B)
    held = Held(QUARANTINE, merged(served, [B], at=LATER), LATER)
    store = await seat.open()
    await store.commit(revision(1, of=served))
    await store.hold(PROVIDER, held)
    stored = await (await seat.open()).load()
    assert stored.listings == {PROVIDER: kept(served)}
    assert stored.held == {PROVIDER: held}


async def test_a_discarded_list_is_there_after_a_restart_as_discarded(seat: Seat) -> None:
    store = await seat.open()
    await store.hold(PROVIDER, Held(QUARANTINE, listing(A), NOW))
    await store.hold(PROVIDER, Held(QUARANTINE, listing(A), NOW, discarded=True))
    stored = await (await seat.open()).load()
    assert stored.held == {PROVIDER: Held(QUARANTINE, listing(A), NOW, discarded=True)}


async def test_another_held_back_list_takes_the_place_of_the_first(seat: Seat) -> None:
    store = await seat.open()
    await store.hold(PROVIDER, Held(QUARANTINE, listing(A), NOW))
    newer = Held(replace(QUARANTINE, id="q2", reason="The list lost 12 of 20 models."), listing(B), LATER)
    await store.hold(PROVIDER, newer)
    assert (await (await seat.open()).load()).held == {PROVIDER: newer}


async def test_a_resolved_quarantine_is_gone(seat: Seat) -> None:
    store = await seat.open()
    await store.hold(PROVIDER, Held(QUARANTINE, listing(A), NOW))
    await store.hold(PROVIDER, None)
    assert (await (await seat.open()).load()).held == {}


async def test_every_start_opens_an_epoch_after_the_last_change(seat: Seat) -> None:
    store = await seat.open()
    await store.commit(revision(1, [added(1), added(2)]))
    await store.register([PROVIDER], LATER, list_ttl=HOUR, opens="b" * 16)
    await (await seat.open()).register([PROVIDER], LATER, list_ttl=HOUR, opens="a" * 16)
    timeline = (await (await seat.open()).load()).timeline
    assert timeline == Timeline((Epoch(EPOCH, 1), Epoch("b" * 16, 3), Epoch("a" * 16, 3)))


async def test_a_commit_that_opens_an_epoch_opens_it_with_its_first_change(seat: Seat) -> None:
    store = await seat.open()
    await store.commit(revision(1, [added(1)]))
    await store.commit(revision(2, [added(2), added(3)], opens="c" * 16))
    assert (await (await seat.open()).load()).timeline == Timeline((Epoch(EPOCH, 1), Epoch("c" * 16, 2)))


async def test_a_refused_revision_opens_no_epoch(store: Store) -> None:
    with pytest.raises(StoreConflict):
        await store.commit(revision(5, opens="c" * 16))
    assert (await store.load()).timeline == Timeline((Epoch(EPOCH, 1),))

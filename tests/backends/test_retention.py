"""Versions of facts live as long as a change, a listing, a tombstone or the history of prices needs them."""

from datetime import timedelta
from pathlib import Path

import pytest

from backends.retention import Retention
from backends.sqlite import SqliteStore
from catalogue.change import ModelRemoved
from tests.backends.conftest import SqliteSeat
from tests.backends.histories import History, Step
from tests.backends.samples import added, revision
from tests.catalogue.strategies import NOW, model

DAY = timedelta(days=1)
LATE = NOW + timedelta(minutes=30)
"""After all that happened."""
NO_LOG = Retention(log_age=timedelta(0), price_age=timedelta(0), tombstone_age=timedelta(0))
"""Keeps nothing that is not listed."""


@pytest.fixture
def seat(tmp_path: Path) -> SqliteSeat:
    return SqliteSeat(tmp_path / "store.sqlite3")


async def take(store: SqliteStore, *lists: dict[str, str | None]) -> History:
    """Lists of models by name, each with its price or none. A second word makes another description."""
    history = await History.of(store)
    for names in lists:
        rows = [
            model(name.split()[0], description=name, price={"input": price} if price else None)
            for name, price in names.items()
        ]
        await history.take(Step(provider="acme", rows=rows))
    return history


async def versions(store: SqliteStore) -> list[str | None]:
    """The descriptions of the versions that are kept, with their prices."""
    query = "SELECT facts ->> 'description', facts ->> '$.price.input' FROM version ORDER BY id"
    rows = await store._run(lambda connection: connection.execute(query).fetchall())
    return [f"{name} at {price}" if price else name for name, price in rows]


async def test_versions_of_listed_models_never_go(seat: SqliteSeat) -> None:
    store = await seat.open(NO_LOG)
    await take(store, {"a": "1", "b": None})
    await store.trim(LATE + 1000 * DAY)
    assert await versions(store) == ["a at 1", "b"]
    assert len((await (await seat.open()).load()).listings["acme"].listing.models) == 2


async def test_a_version_stays_while_a_change_refers_to_it(seat: SqliteSeat) -> None:
    store = await seat.open(Retention(log_age=2000 * DAY, price_age=timedelta(0), tombstone_age=timedelta(0)))
    history = await take(store, {"a": "1", "b": None}, {"a": "2"}, {"a": "3"})
    await store.trim(LATE + 1000 * DAY)
    assert (await store.read(0, 100)).changes == tuple(history.changes)
    assert any(isinstance(change, ModelRemoved) for change in history.changes)
    assert await versions(store) == ["b", "a at 2", "a at 3"]


async def test_facts_of_a_model_in_no_listing_are_no_price_history(seat: SqliteSeat) -> None:
    store = await seat.open(Retention(log_age=DAY, tombstone_age=DAY))
    await store.commit(revision(1, [added(1)]))
    assert await versions(store) == [None]
    await store.trim(LATE + 2 * DAY)
    assert await versions(store) == []


async def test_replaced_versions_go_with_the_last_change_that_refers_to_them(seat: SqliteSeat) -> None:
    store = await seat.open(NO_LOG)
    await take(store, {"a": "1"}, {"a": "2"}, {"a": "3"})
    await store.trim(LATE)
    assert await versions(store) == ["a at 3"]


@pytest.mark.parametrize(("after", "left"), [(179 * DAY, ["a", "b new"]), (181 * DAY, ["a"])])
async def test_the_last_facts_of_a_removed_model_stay_for_180_days(
    seat: SqliteSeat, after: timedelta, left: list[str]
) -> None:
    store = await seat.open(Retention(log_age=DAY, price_age=timedelta(0)))
    await take(store, {"a": None, "b": None}, {"a": None, "b new": None}, {"a": None}, {"a": None})
    await store.trim(NOW + after)
    assert await versions(store) == left


async def test_a_removed_model_that_came_back_has_no_tombstone(seat: SqliteSeat) -> None:
    store = await seat.open(Retention(log_age=timedelta(0), price_age=timedelta(0)))
    await take(store, {"a": None, "b": None}, {"a": None}, {"a": None}, {"a": None, "b back": None})
    await store.trim(LATE)
    assert await versions(store) == ["a", "b back"]


@pytest.mark.parametrize(("after", "left"), [(364 * DAY, ["a new at 1", "a at 2", "a at 1"]), (366 * DAY, ["a at 1"])])
async def test_a_price_stays_for_a_year_after_it_ended(seat: SqliteSeat, after: timedelta, left: list[str]) -> None:
    """One version of each price is enough: the last one, which says since when the price held."""
    store = await seat.open(Retention(log_age=DAY))
    await take(store, {"a": "1"}, {"a new": "1"}, {"a": "2"}, {"a": "1"})
    await store.trim(NOW + after)
    assert await versions(store) == left


async def test_a_version_says_since_when_its_price_holds(seat: SqliteSeat) -> None:
    store = await seat.open()
    await take(store, {"a": "1"}, {"a new": "1"}, {"a newer": "2"}, {"a": "2"})
    query = "SELECT (priced_since - min(since) OVER ()) / 60000000 FROM version ORDER BY id"
    rows = await store._run(lambda connection: connection.execute(query).fetchall())
    assert rows == [(0,), (0,), (2,), (2,)]


async def test_a_removed_models_price_stays_for_a_year(seat: SqliteSeat) -> None:
    store = await seat.open(Retention(log_age=DAY, tombstone_age=DAY))
    await take(store, {"a": None, "b": "1"}, {"a": None}, {"a": None})
    await store.trim(NOW + 364 * DAY)
    assert await versions(store) == ["a", "b at 1"]


async def test_details_go_with_the_last_change_that_refers_to_them(seat: SqliteSeat) -> None:
    store = await seat.open(Retention(log_length=2))
    history = await take(store, {"a": "1", "b": "1"}, {"a": "2", "b": "2"}, {"a": "3", "b": "3"})
    await store.trim(NOW)
    assert (await store.read(history.seq - 2, 10)).changes == tuple(history.changes[-2:])
    rows = await store._run(lambda c: c.execute("SELECT count(*) FROM detail").fetchall())
    assert rows == [(1,)]

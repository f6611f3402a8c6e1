"""What a log costs: facts are stored once, an outage is small, and a filter reads only what it returns."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import orjson
import pytest

from backends import _log_query
from backends.sqlite import SqliteStore
from catalogue.change import EVERYTHING, ChangeFilter, ModelRemoved
from catalogue.facts import ModelFacts
from catalogue.position import Position
from catalogue.vocabulary import HealthStatus
from tests.backends.conftest import SqliteSeat
from tests.backends.histories import History, Step
from tests.backends.samples import EPOCH, revision, seqs
from tests.catalogue.strategies import NOW, listing, model, state

ACME = frozenset({"acme"})


@pytest.fixture
async def seat(tmp_path: Path) -> SqliteSeat:
    return SqliteSeat(tmp_path / "store.sqlite3")


def models(count: int) -> list[ModelFacts]:
    return [model(f"m{number}", description="word " * 60) for number in range(count)]


def edges(count: int, *, provider: str = "acme") -> Iterator[Step]:
    """A provider that goes down and comes back."""
    for number in range(count):
        yield Step(provider=provider, status=(HealthStatus.DOWN, HealthStatus.HEALTHY)[number % 2])


async def counted(store: SqliteStore, query: str) -> int:
    return int((await store._run(lambda connection: connection.execute(query).fetchone()))[0])


async def test_an_outage_stores_no_facts_again_and_what_its_changes_share_once(seat: SqliteSeat) -> None:
    store = await seat.open()
    history = await History.of(store)
    await history.take(Step(provider="acme", rows=models(399)))
    await history.take(Step(provider="acme", rows=models(400)))
    for step in edges(4):
        changes = await history.take(step)
        assert len(changes) == 401
    assert await counted(store, "SELECT count(*) FROM version") == 400
    of_lists_and_of_edges = 2 + 1 + 4 * 2
    assert await counted(store, "SELECT count(*) FROM detail") == of_lists_and_of_edges
    assert await counted(store, "SELECT count(DISTINCT version) FROM change") == 400


async def test_equal_facts_of_a_model_in_no_listing_are_stored_once(seat: SqliteSeat) -> None:
    """Such as a packaged model's: only changes refer to them."""
    facts = model("packaged", capabilities=["vision", "chat", "tools"])
    view = state(listing(facts)).view(facts, fallback=NOW)
    change = ModelRemoved(position=Position(EPOCH, 1), at=NOW, provider_id="acme", model=view)
    await (await seat.open()).commit(revision(1, [change]))
    store = await seat.open()
    await store.commit(revision(2, [replace(change, position=Position(EPOCH, 2))]))
    assert len((await store.read(0, 10)).changes) == 2
    assert await counted(store, "SELECT count(*) FROM version") == 1
    in_order = """SELECT instr(facts, '"capabilities":["chat","tools","vision"]') > 0 FROM version"""
    assert await counted(store, in_order), "a set has another order in each process"


@pytest.mark.parametrize("before", [0, 20])
async def test_an_outage_of_1700_models_writes_less_than_200_kb(seat: SqliteSeat, before: int) -> None:
    store = await seat.open()
    history = await History.of(store)
    await history.take(Step(provider="acme", rows=models(1700)))
    for step in edges(before):
        await history.take(step)
    log = seat.path.with_name(f"{seat.path.name}-wal")
    await counted(store, "PRAGMA wal_checkpoint(TRUNCATE)")
    size = seat.path.stat().st_size
    assert len(await history.take(next(edges(1)))) == 1701
    assert log.stat().st_size < 200_000
    await counted(store, "PRAGMA wal_checkpoint(TRUNCATE)")
    assert seat.path.stat().st_size - size < 200_000


@pytest.mark.parametrize(
    "wanted",
    [
        EVERYTHING,
        ChangeFilter(kinds=frozenset({"PRICE_CHANGED"})),
        ChangeFilter(kinds=frozenset({"RESYNC"})),
        ChangeFilter(providers=ACME),
        ChangeFilter(providers=frozenset(f"p{number}" for number in range(40))),
        ChangeFilter(providers=frozenset(f"p{number}" for number in range(400))),
        ChangeFilter(providers=ACME, kinds=frozenset({"STATUS_CHANGED", "MODEL_ADDED"})),
        ChangeFilter(models=frozenset({"acme/a", "bolt/b"})),
        ChangeFilter(models=frozenset(f"p{number}/a" for number in range(400))),
        ChangeFilter(models=frozenset({"acme/a"}), kinds=frozenset({"PRICE_CHANGED"})),
        ChangeFilter(models=frozenset({"acme/a"}), kinds=frozenset({"STATUS_CHANGED"})),
        ChangeFilter(models=frozenset({"acme/a"}), providers=frozenset({"bolt"})),
        ChangeFilter(models=frozenset({"acme/a"}), providers=ACME, kinds=frozenset({"DETAILS_CHANGED"})),
    ],
)
async def test_every_filter_is_answered_from_an_index(seat: SqliteSeat, wanted: ChangeFilter) -> None:
    store = await seat.open()
    query, values = _log_query.query_of(wanted)
    plan = await store._run(
        lambda connection: connection.execute(
            f"EXPLAIN QUERY PLAN {query}", {**values, "after": 0, "limit": 10}
        ).fetchall()
    )
    searches = [line for *_, line in plan]
    assert any(line.startswith("SEARCH change") for line in searches)
    assert not [line for line in searches if line.startswith("SCAN")]


async def test_a_follower_of_prices_decodes_only_what_it_receives(
    seat: SqliteSeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await seat.open()
    history = await History.of(store)
    rows = models(500)
    await history.take(Step(provider="acme", rows=rows))
    for number in range(3):
        for step in edges(14):
            await history.take(step)
        rows = [model(f"m{number}", price={"input": "0.001"}), *(row for row in rows if row.id != f"acme/m{number}")]
        await history.take(Step(provider="acme", rows=rows))
    prices = [c.position.seq for c in history.changes if c.kind in {"PRICE_CHANGED", "RESYNC"}]
    assert (len(prices), history.seq > 20_000) == (4, True)
    loads = Mock(wraps=orjson.loads)
    monkeypatch.setattr("backends._change.orjson.loads", loads)
    page = await store.read(0, 500, ChangeFilter(kinds=frozenset({"PRICE_CHANGED"})))
    assert (seqs(page.changes), page.end) == (prices, history.seq)
    assert loads.call_count == len(prices)

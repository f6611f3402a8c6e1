"""A store of an earlier version is taken over with everything that it held."""

import shutil
import sqlite3
import sys
from asyncio import create_subprocess_exec
from contextlib import closing
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from backends import _schema
from catalogue.change import (
    Change,
    ChangeFilter,
    DetailsChanged,
    ModelAdded,
    ModelChange,
    ModelRemoved,
    PriceChanged,
    ProviderHealthChanged,
    Resync,
    StatusChanged,
)
from catalogue.facts import Price, RateLimit
from catalogue.health import Health, Problem, Problems, Quarantine
from catalogue.position import Epoch, Position, Timeline
from catalogue.vocabulary import Capability, DataSource, HealthStatus, ProviderErrorCode, StatusCause, UptimeWindow
from tests.backends.conftest import SqliteSeat
from tests.backends.samples import EPOCH, added, revision, seqs
from tests.catalogue.strategies import NOW, PROVIDER

OLD = Path(__file__).parent / "fixtures" / "third_version.sql"
"""A data folder of the version before facts were stored once: two runs of lists, an outage, a held-back list."""
STEP = timedelta(minutes=10)


@pytest.fixture
def seat(tmp_path: Path) -> SqliteSeat:
    """A closed store as the version before left it."""
    path = tmp_path / "store.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(OLD.read_text("utf-8"))
    return SqliteSeat(path)


async def log(seat: SqliteSeat) -> list[Change]:
    return list((await (await seat.open()).read(0, 100)).changes)


async def test_nothing_is_moved_aside_and_the_state_is_whole(seat: SqliteSeat) -> None:
    store = await seat.open()
    stored = await store.load()
    assert store.notice is None
    assert (stored.revision, stored.seq, stored.updated_at) == (8, 28, NOW + 7 * STEP)
    assert stored.timeline == Timeline((Epoch(EPOCH, 1),))
    assert stored.list_ttl == STEP
    assert stored.published == {PROVIDER: NOW + 8 * STEP, "other": NOW}
    refused = Problem(
        code=ProviderErrorCode.UNAUTHORIZED, message="The key is refused.", retryable=False, at=NOW + 7 * STEP
    )
    degraded = Health(
        provider_id=PROVIDER,
        status=HealthStatus.DEGRADED,
        since=NOW + 7 * STEP,
        last_checked=NOW + 7 * STEP,
        problems=Problems(call=refused),
        dropped_rows=1,
    )
    assert stored.healths == {PROVIDER: degraded, "other": Health(provider_id="other")}


async def test_a_listing_comes_over_with_its_families_as_hints_and_without_first_times_of_the_first_list(
    seat: SqliteSeat,
) -> None:
    stored = (await (await seat.open()).load()).listings
    assert stored.keys() == {PROVIDER}
    assert stored[PROVIDER].as_of == NOW + 8 * STEP
    listing = stored[PROVIDER].listing
    assert listing.is_reference
    assert [id_.removeprefix("acme/") for id_ in listing.models] == ["alpha", "beta", "old", "delta"]
    assert listing.first_seen == {"acme/delta": NOW + 2 * STEP}
    alpha, beta = listing.models["acme/alpha"], listing.models["acme/beta"]
    assert (alpha.name, alpha.canonical_name, alpha.description) == ("Alpha One", "alpha", "A model for tests.")
    assert alpha.capabilities == {Capability.CHAT, Capability.TOOLS, Capability.VISION}
    assert alpha.price == Price(input=Decimal("0.0000012"), output=Decimal("0.0000048"))
    assert str(alpha.price.output) == "0.00000480"
    assert alpha.limits == RateLimit(requests_per_minute=60)
    assert (beta.price, beta.premium, beta.context_max) == (Price(input=Decimal(0)), False, 4096)
    assert listing.models["acme/old"].deprecated


async def test_held_back_lists_come_over(seat: SqliteSeat) -> None:
    held = (await (await seat.open()).load()).held
    assert held[PROVIDER].quarantine.reason == "The list lost 3 of 4 models."
    assert (held[PROVIDER].as_of, held[PROVIDER].discarded) == (NOW + 7 * STEP, False)
    assert held[PROVIDER].listing.gone == {"acme/beta", "acme/old", "acme/delta"}
    assert held[PROVIDER].listing.first_seen == {"acme/delta": NOW + 2 * STEP}
    assert (held["other"].discarded, len(held["other"].listing.models)) == (True, 0)


async def test_incidents_audit_and_health_history_come_over(seat: SqliteSeat) -> None:
    store = await seat.open()
    incidents = (await store.incidents([PROVIDER], 10))[PROVIDER]
    assert [(i.id, i.ended_at) for i in incidents] == [("i2", None), ("i1", NOW + STEP)]
    assert [(e.seq, e.outcome, e.count) for e in await store.audit_page(None, 10)] == [(2, "refused", 3), (1, "ok", 1)]
    last = (await store.health([PROVIDER], UptimeWindow.DAY, NOW))[PROVIDER][-1]
    assert (last.checks, last.failures, last.seconds, last.up) == (6, 1, 1800, 1200)


async def test_every_change_comes_over_as_of_its_moment(seat: SqliteSeat) -> None:
    changes = await log(seat)
    assert seqs(changes) == [*range(1, 29)]
    assert all(change.position.epoch == EPOCH for change in changes)
    of_alpha = [c for c in changes if isinstance(c, ModelChange) and c.model.facts.id == "acme/alpha"]
    prices = [c.model.facts.price.input if c.model.facts.price else None for c in of_alpha]
    low, high = Decimal("0.000001"), Decimal("0.0000012")
    assert prices == [None, low, low, low, high, high, high]
    assert [c.model.facts.name for c in of_alpha] == ["Alpha"] * 5 + ["Alpha One"] * 2
    statuses = [c.model.status.value for c in of_alpha]
    assert statuses == ["unavailable", "available", "unavailable", *["available"] * 3, "limited"]
    assert [c.model.source for c in of_alpha] == [DataSource.BASELINE, *[DataSource.LIVE] * 6]
    assert {c.model.first_seen_at for c in of_alpha} == {None}
    assert of_alpha[2].model.error_message == "Acme is down: No answer within 10 seconds."
    assert (of_alpha[2].model.last_checked, of_alpha[2].at) == (NOW + 3 * STEP, NOW + 3 * STEP)
    assert of_alpha[2].model.provider_health is HealthStatus.DOWN


async def test_each_kind_of_change_keeps_what_is_its_own(seat: SqliteSeat) -> None:
    changes = {change.position.seq: change for change in await log(seat)}
    assert isinstance(price := changes[6], PriceChanged)
    assert price.before == Price.model_validate(
        {
            "input": "0.0000012",
            "output": "0.00000480",
            "tiers": [{"above_prompt_tokens": 128000, "input": "2.4E-6"}],
            "other": [{"kind": "web_search", "unit": "request", "amount": "0.01"}],
        }
    )
    assert price.after == Price(input=Decimal("0.000001"), output=Decimal("0.0000048"))
    assert isinstance(details := changes[7], DetailsChanged)
    assert details.fields == ("context_max",)
    assert isinstance(new := changes[8], ModelAdded)
    assert new.model.first_seen_at == NOW + 2 * STEP
    assert isinstance(gone := changes[24], ModelRemoved)
    assert gone.model.facts.id == "acme/gamma"
    assert isinstance(health := changes[9], ProviderHealthChanged)
    assert (health.before, health.after, health.model_count) == (HealthStatus.HEALTHY, HealthStatus.DOWN, 5)
    assert health.health.error
    assert health.health.error.message == "No answer within 10 seconds."
    assert isinstance(resync := changes[5], Resync)
    assert resync.reason == "The first list of Acme has come."


async def test_old_changes_of_statuses_are_given_their_cause(seat: SqliteSeat) -> None:
    causes = {c.position.seq: c.cause for c in await log(seat) if isinstance(c, StatusChanged)}
    assert {seq for seq, cause in causes.items() if cause is StatusCause.LIST} == {22}
    assert {cause for seq, cause in causes.items() if seq != 22} == {StatusCause.HEALTH}


async def test_a_cursor_of_the_old_version_resumes_with_exactly_the_later_changes(seat: SqliteSeat) -> None:
    store = await seat.open()
    stored = await store.load()
    assert stored.timeline.holds(Position(EPOCH, 20), last=stored.seq)
    assert await store.oldest() == Position(EPOCH, 0)
    await store.register([PROVIDER, "other"], NOW, list_ttl=STEP, opens="f" * 16)
    await store.commit(revision(9, [added(29)]))
    page = await store.read(20, 100)
    assert seqs(page.changes) == [*range(21, 30)]
    assert (await store.load()).timeline.holds(Position(EPOCH, 20), last=29)


async def test_the_log_is_filtered_by_models_kinds_and_providers(seat: SqliteSeat) -> None:
    store = await seat.open()
    of_gamma = await store.read(0, 100, ChangeFilter(models=frozenset({"acme/gamma"})))
    assert seqs(of_gamma.changes) == [5, 12, 18, 22, 24]
    of_prices = await store.read(0, 100, ChangeFilter(kinds=frozenset({"PRICE_CHANGED"})))
    assert seqs(of_prices.changes) == [5, 6, 21]
    assert seqs((await store.read(0, 100, ChangeFilter(providers=frozenset({"other"})))).changes) == [5]


@pytest.mark.parametrize(
    ("id_", "expected"),
    [
        ("acme/alpha", [(0, 2, 0), (2, 5, 2), (5, 6, 5), (6, None, 5)]),
        ("acme/gamma", [(3, 6, 3)]),
        ("acme/packaged", [(0, 0, None)]),
    ],
)
async def test_each_version_of_facts_is_stored_once_with_the_time_in_which_it_held(
    seat: SqliteSeat, id_: str, expected: list[tuple[int | None, ...]]
) -> None:
    store = await seat.open()
    query = "SELECT since, until, priced_since FROM version WHERE model_id = ? ORDER BY id"
    rows = await store._run(lambda connection: connection.execute(query, (id_,)).fetchall())
    steps = [tuple(None if at is None else (_moment(at) - NOW) // STEP for at in row) for row in rows]
    assert steps == expected


def _moment(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1_000_000, NOW.tzinfo)


@pytest.mark.parametrize(
    "statement",
    [
        """UPDATE change SET body = '{"model": 1}' WHERE seq = 12""",
        "UPDATE change SET body = '{' WHERE seq = 12",
        "UPDATE change SET body = replace(body, 'Gamma', CAST(x'ff' AS TEXT)) WHERE seq = 12",
    ],
)
async def test_a_broken_change_ends_the_old_log_there(seat: SqliteSeat, statement: str) -> None:
    with closing(sqlite3.connect(seat.path, isolation_level=None)) as connection:
        connection.execute(statement)
    store = await seat.open()
    assert store.notice is None
    assert (await store.read(0, 100)).trimmed
    assert seqs((await store.read(12, 100)).changes) == [*range(13, 29)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE model SET facts = '[]' WHERE id = 'acme/beta'",
        "UPDATE model SET facts = '{}' WHERE id = 'acme/beta'",
        "UPDATE quarantine SET body = '[]'",
        "UPDATE standing SET body = '[]'",
        "UPDATE standing SET body = '{'",
        "DROP TABLE standing",
    ],
)
async def test_an_old_store_that_is_damaged_is_moved_aside(seat: SqliteSeat, statement: str) -> None:
    with closing(sqlite3.connect(seat.path, isolation_level=None)) as connection:
        connection.execute(statement)
    store = await seat.open()
    assert "moved aside" in (store.notice or "")
    assert (await store.load()).revision == 0


_KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from backends import _file, _schema

def counted():
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)

def spilling(connection):
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("PRAGMA cache_spill = 1")
    connection.set_progress_handler(counted, 10)

left = int(sys.argv[2])
*earlier, last = _schema._STEPS
_schema._STEPS = (*earlier, (spilling, *last))
_file.open_file(Path(sys.argv[1]), lambda: datetime.now(UTC))
"""


@pytest.mark.process
@pytest.mark.parametrize("steps", [10, 300, 1_000, 2_000])
async def test_killed_in_the_midst_of_the_conversion_the_old_store_is_whole(
    seat: SqliteSeat, tmp_path: Path, steps: int
) -> None:
    process = await create_subprocess_exec(sys.executable, "-c", _KILLED, str(seat.path), str(steps))
    assert await process.wait() == -9
    copy = tmp_path / "copy.sqlite3"
    for suffix in ("", "-wal"):
        shutil.copy(seat.path.with_name(seat.path.name + suffix), copy.with_name(copy.name + suffix))
    with closing(sqlite3.connect(copy)) as connection:
        left = [line for line in connection.iterdump() if "sqlite_sequence" not in line]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    expected = [line for line in OLD.read_text("utf-8").splitlines() if "sqlite_sequence" not in line]
    assert version == 3
    assert "\n".join(left) == "\n".join(expected[:-1])
    assert seqs(await log(seat)) == [*range(1, 29)]


async def test_a_converted_store_gives_back_the_space_of_the_old_log(seat: SqliteSeat) -> None:
    store = await seat.open()
    assert await store._run(lambda connection: connection.execute("PRAGMA freelist_count").fetchone()) == (0,)


async def test_a_store_of_the_first_version_is_taken_over_with_everything_that_it_held(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    now, seen = 1_777_636_800_000_000, 1_777_600_000_000_000
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in _schema._FIRST:
            connection.execute(statement)
        connection.execute("INSERT INTO state VALUES (1, '0123456789abcdef', 7, 1, ?)", (now,))
        connection.execute("INSERT INTO listing VALUES ('acme', 0, 'live', ?), ('acme', 1, 'live', ?)", (now, now))
        facts = '{"id": "acme/a", "provider_id": "acme", "name": "a"}'
        connection.execute("INSERT INTO model VALUES ('acme', 0, 'acme/a', 0, ?, ?)", (seen, facts))
        body = '{"id":"q","provider_id":"acme","reason":"Few.","at":"2026-05-01T12:00:00Z",'
        body += '"model_count":0,"added":0,"removed":1,"repriced":0}'
        connection.execute("INSERT INTO quarantine VALUES ('acme', ?)", (body,))
        connection.execute("INSERT INTO bucket VALUES ('acme', 3600000000, ?, 4, 1, 3, 60.0)", (now,))
        connection.execute("INSERT INTO incident VALUES ('i', 'acme', ?, NULL, 'timeout', 'No answer.')", (now,))
        change = '{"seq":1,"at":"2026-05-01T12:00:00Z","provider_id":null,"kind":"RESYNC","reason":"Read anew."}'
        connection.execute("INSERT INTO change VALUES (1, ?, 'RESYNC', NULL, ?)", (now, change))
        connection.execute(
            "INSERT INTO audit (at, actor, action, outcome, count) VALUES (?, 'ops', 'a', 'ok', 1)", (now,)
        )
        connection.execute("PRAGMA user_version = 1")
    store = await SqliteSeat(path).open()
    stored = await store.load()
    assert store.notice is None
    assert (stored.revision, stored.seq, stored.updated_at) == (7, 1, NOW)
    assert stored.timeline == Timeline((Epoch(EPOCH, 1),))
    assert list(stored.listings[PROVIDER].listing.models) == ["acme/a"]
    assert stored.held[PROVIDER].quarantine == Quarantine(
        id="q", provider_id=PROVIDER, reason="Few.", at=NOW, model_count=0, added=0, removed=1, repriced=0
    )
    assert not stored.held[PROVIDER].discarded
    assert (stored.healths, stored.published) == ({}, {})
    last = (await store.health([PROVIDER], UptimeWindow.DAY, NOW))[PROVIDER][-1]
    assert (last.checks, last.failures, last.latency_ms, last.seconds, last.uptime) == (4, 1, 20.0, 0.0, 0.75)
    assert len((await store.incidents([PROVIDER], 10))[PROVIDER]) == 1
    assert seqs((await store.read(0, 10)).changes) == [1]
    assert len(await store.audit_page(None, 10)) == 1
    await store.commit(revision(8, [added(2)]))
    await store.close()

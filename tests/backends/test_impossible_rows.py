"""Rows that cannot be right: found at a start, passed over by an open store; what is only not configured is kept."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from backends.sqlite import SqliteStore
from catalogue.health import Quarantine
from catalogue.history import Incident, Probe, Span
from catalogue.ports.audit import AuditEntry
from catalogue.ports.revisions import Held
from catalogue.vocabulary import ProviderErrorCode, UptimeWindow
from tests.backends.conftest import SqliteSeat, copied, filled
from tests.backends.samples import added, revision
from tests.catalogue.strategies import NOW, PROVIDER, listing, model

QUARANTINE = Quarantine(
    id="q", provider_id=PROVIDER, reason="Few.", at=NOW, model_count=1, added=0, removed=9, repriced=0
)
AUDIT = [
    "UPDATE audit SET at = 9000000000000000000 WHERE seq = 2",
    "UPDATE audit SET at = 'then' WHERE seq = 2",
    "UPDATE audit SET actor = CAST(x'ff00ff' AS TEXT) WHERE seq = 2",
    "UPDATE audit SET count = 0 WHERE seq = 2",
    "UPDATE audit SET count = 3000000000 WHERE seq = 2",
    "UPDATE audit SET seq = -2 WHERE seq = 2",
]
BUCKETS = [
    "UPDATE bucket SET checks = -1",
    "UPDATE bucket SET checks = 4000000000",
    "UPDATE bucket SET failures = -1",
    "UPDATE bucket SET failures = 7",
    "UPDATE bucket SET timed = 7",
    "UPDATE bucket SET latency_sum = -1.0",
    "UPDATE bucket SET latency_sum = 9e999",
    "UPDATE bucket SET known = -1, up = -1",
    "UPDATE bucket SET up = known + 1",
]
INCIDENTS = [
    "UPDATE incident SET code = 'GREMLINS' WHERE id = 'b'",
    "UPDATE incident SET started_at = 9000000000000000000 WHERE id = 'b'",
    "UPDATE incident SET ended_at = 'then' WHERE id = 'b'",
    "UPDATE incident SET message = CAST(x'ff00ff' AS TEXT) WHERE id = 'b'",
]
AT_A_START_ALONE = [
    "DELETE FROM state",
    "UPDATE epoch SET name = 'Ω'",
    "UPDATE epoch SET name = 'not hexadecimal'",
    "UPDATE epoch SET first_seq = 0",
    "UPDATE epoch SET first_seq = 9",
    "UPDATE epoch SET opened_at = 'then'",
    "INSERT INTO epoch (name, first_seq, opened_at) VALUES ('fedcba9876543210', 3, 0), ('eedcba9876543210', 2, 0)",
    "DELETE FROM epoch",
    "UPDATE state SET revision = -1",
    "UPDATE state SET seq = 'many'",
    "UPDATE state SET seq = 2",
    "UPDATE state SET seq = 9223372036854775807",
    "UPDATE state SET updated_at = 9e18",
    "UPDATE listing SET as_of = 'yesterday'",
    "UPDATE version SET facts = '{' WHERE id = 3",
    "UPDATE version SET facts = CAST(x'ff00ff' AS TEXT) WHERE id = 3",
    "UPDATE version SET facts = x'7b7d' WHERE id = 3",
    "DELETE FROM version WHERE id = 3",
    "UPDATE model SET id = 'acme/else' WHERE rowid = 3",
    "UPDATE model SET version = 1 WHERE rowid = 3",
    "UPDATE version SET first_seen = 'long ago' WHERE id = 3",
    "UPDATE quarantine SET body = '[]'",
    'UPDATE health SET body = \'{"provider_id": "acme", "status": "SLEEPY"}\'',
    "UPDATE health SET body = replace(body, 'acme', 'other')",
    "UPDATE health SET published_at = 'then'",
    "UPDATE incident SET started_at = 'then'",
    "UPDATE bucket SET checks = 'some'",
    "UPDATE bucket SET known = 1.5",
    "UPDATE state SET revision = 3000000000",
    "UPDATE bucket SET start = start + 1",
    "UPDATE bucket SET width = 7 WHERE width = 60000000",
    "UPDATE bucket SET provider_id = ''",
    "UPDATE incident SET provider_id = 'acme/m1'",
    "UPDATE listing SET provider_id = ''",
    "UPDATE listing SET provider_id = 'acmf'",
    "UPDATE model SET provider_id = 'acmf' WHERE rowid = 2",
    "UPDATE model SET provider_id = 'acmf'",
    "UPDATE model SET gone = 7 WHERE rowid = 2",
    'UPDATE version SET facts = replace(facts, \'"provider_id":"acme"\', \'"provider_id":"acmf"\')',
    "UPDATE quarantine SET provider_id = 'acmf'",
    "UPDATE quarantine SET body = replace(body, 'acme', 'acmf')",
    "UPDATE quarantine SET discarded = 7",
    "UPDATE quarantine SET as_of = 'then'",
    "UPDATE quarantine SET listing = '{'",
    "UPDATE quarantine SET listing = replace(listing, 'acme', 'acmf')",
    "DELETE FROM listing",
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> SqliteSeat:
    """A closed store with three rows, of which one may be spoilt, in every table that is read while it is open."""
    return filled(tmp_path_factory.mktemp("whole") / "store.sqlite3", fill)


@pytest.fixture
def seat(whole: SqliteSeat, tmp_path: Path) -> SqliteSeat:
    """A copy of the whole store, to be spoilt."""
    return copied(whole, tmp_path)


async def fill(store: SqliteStore) -> None:
    of = listing(*(model(f"m{n}") for n in range(3)))
    await store.commit(revision(1, [added(n) for n in range(1, 4)], of=of))
    await store.hold(PROVIDER, Held(QUARANTINE, listing(model("m1")), NOW))
    probes = [Probe(provider_id=PROVIDER, at=NOW, ok=ok, latency_ms=3.0 if ok else None) for ok in (True, False)]
    await store.record(probes, [Span(provider_id=PROVIDER, start=NOW, end=NOW + timedelta(seconds=9), up=True)])
    for id_ in "abc":
        code = ProviderErrorCode.TIMEOUT
        await store.open_incident(Incident(id=id_, provider_id=PROVIDER, started_at=NOW, code=code, message="Slow."))
    await store.audit([AuditEntry(at=NOW, actor="ops", action="a", outcome=outcome) for outcome in "abc"])


def sql(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)
        assert connection.total_changes, "the statement spoils nothing"


@pytest.mark.parametrize("statement", [*AUDIT, *BUCKETS, *INCIDENTS, *AT_A_START_ALONE])
async def test_a_start_finds_them_and_moves_the_store_aside(seat: SqliteSeat, statement: str) -> None:
    sql(seat.path, statement)
    store = await seat.open()
    assert "moved aside" in (store.notice or "")
    assert (await store.load()).revision == 0
    assert (await seat.open()).notice is None


async def answers(store: SqliteStore) -> tuple[list[int], list[str], int]:
    """The positions of audit entries, the ids of incidents, and how many checks of the last hour are known."""
    audit = await store.audit_page(None, 10)
    incidents = (await store.incidents([PROVIDER], 10))[PROVIDER]
    buckets = (await store.health([PROVIDER], UptimeWindow.HOUR, NOW))[PROVIDER]
    assert len(buckets) == 60
    return [entry.seq for entry in audit], [incident.id for incident in incidents], sum(b.checks for b in buckets)


@pytest.mark.parametrize(
    ("statement", "table", "expected"),
    [
        *((statement, "audit", ([3, 1], ["c", "b", "a"], 2)) for statement in AUDIT),
        *((statement, "bucket", ([3, 2, 1], ["c", "b", "a"], 0)) for statement in BUCKETS),
        *((statement, "incident", ([3, 2, 1], ["c", "a"], 2)) for statement in INCIDENTS),
    ],
)
async def test_queries_of_an_open_store_pass_them_over_and_it_is_said_once(
    seat: SqliteSeat, statement: str, table: str, expected: tuple[list[int], list[str], int]
) -> None:
    store = await seat.open()
    sql(seat.path, statement)
    with capture_logs() as lines:
        assert await answers(store) == expected
        assert await answers(store) == expected
    assert [(line["event"], line["table"]) for line in lines] == [("rows_unreadable", table)]


async def test_a_page_is_as_long_as_it_is_asked_for_whatever_is_passed_over(seat: SqliteSeat) -> None:
    store = await seat.open()
    sql(seat.path, AUDIT[0])
    assert [entry.seq for entry in await store.audit_page(None, 2)] == [3, 1]


async def test_what_is_kept_of_a_provider_that_is_not_configured_any_more_is_left_alone(seat: SqliteSeat) -> None:
    store = await seat.open()
    await store.register(["other"], NOW, list_ttl=timedelta(minutes=10), opens="f" * 16)
    store = await seat.open()
    assert store.notice is None
    assert await answers(store) == ([3, 2, 1], ["c", "b", "a"], 2)
    stored = await store.load()
    assert len(stored.listings[PROVIDER].listing.models) == 3
    assert stored.held[PROVIDER].quarantine == QUARANTINE

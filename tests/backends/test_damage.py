"""Whatever happens to a store's files, it opens, or is moved aside and says so; no start ends because of it."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from random import Random
from secrets import token_hex

import pytest

from backends.sqlite import SqliteStore
from catalogue.health import Health, Problem, Problems, Quarantine
from catalogue.history import Incident, Probe, Span
from catalogue.ports.audit import AuditEntry
from catalogue.ports.errors import StoreConflict, StoreUnusable
from catalogue.ports.revisions import Held
from catalogue.position import Position
from catalogue.vocabulary import HealthStatus, ProviderErrorCode, UptimeWindow
from tests.backends.committer import rows
from tests.backends.conftest import SqliteSeat, copied, filled
from tests.backends.samples import EPOCH, added, kept, revision, seqs
from tests.catalogue.strategies import NOW, PROVIDER, listing, model

ROUNDS = int(os.environ.get("DAMAGE_ROUNDS", "60"))
QUARANTINE = Quarantine(
    id="q", provider_id=PROVIDER, reason="Few.", at=NOW, model_count=1, added=0, removed=9, repriced=0
)
PROBLEM = Problem(code=ProviderErrorCode.TIMEOUT, message="No answer.", retryable=True, at=NOW)
HEALTH = Health(provider_id=PROVIDER, status=HealthStatus.DEGRADED, since=NOW, problems=Problems(call=PROBLEM))
INCIDENT = Incident(id="i", provider_id=PROVIDER, started_at=NOW, code=ProviderErrorCode.TIMEOUT, message="No answer.")
TABLES = (
    "state",
    "epoch",
    "listing",
    "model",
    "version",
    "quarantine",
    "change",
    "detail",
    "bucket",
    "incident",
    "audit",
    "health",
)


async def fill(store: SqliteStore) -> None:
    """Put something into every table."""
    of = listing(*(model(f"m{n}", description="word " * 40) for n in range(60)))
    await store.commit(revision(1, [added(n) for n in range(1, 31)], of=of, health=HEALTH))
    await store.hold(PROVIDER, Held(QUARANTINE, listing(model("m1")), NOW))
    later = NOW + timedelta(minutes=5)
    await store.record(
        [Probe(provider_id=PROVIDER, at=NOW, ok=True, latency_ms=3.0)],
        [Span(provider_id=PROVIDER, start=NOW, end=later, up=True)],
    )
    await store.open_incident(INCIDENT)
    await store.audit([AuditEntry(at=NOW, actor="ops", action="a", target=None, outcome="ok", count=1)])


async def use(store: SqliteStore) -> None:
    """Ask for everything, and write something more."""
    stored = await store.load()
    await store.read(max(stored.seq - 10, 0), 100)
    await store.read(0, 100)
    await store.health([PROVIDER], UptimeWindow.DAY, NOW)
    await store.incidents([PROVIDER], 10)
    await store.audit_page(None, 10)
    await store.oldest()
    await store.register([PROVIDER, "other"], NOW, list_ttl=timedelta(minutes=10), opens=token_hex(8))
    await store.commit(revision(stored.revision + 1, [added(stored.seq + 1)], of=listing(model("new"))))
    await store.trim(NOW)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> SqliteSeat:
    """A closed store with something in every table."""
    return filled(tmp_path_factory.mktemp("whole") / "store.sqlite3", fill)


@pytest.fixture
def seat(whole: SqliteSeat, tmp_path: Path) -> SqliteSeat:
    """A copy of the whole store, to be spoilt."""
    return copied(whole, tmp_path)


@pytest.fixture
async def crashed(tmp_path: Path) -> SqliteSeat:
    """A store as a killed process leaves it: most of it is in the write-ahead log."""
    seat, copy = SqliteSeat(tmp_path / "running.sqlite3"), SqliteSeat(tmp_path / "crashed.sqlite3")
    await fill(await seat.open())
    for side in ("", "-wal", "-shm"):
        shutil.copy(seat.path.with_name(seat.path.name + side), copy.path.with_name(copy.path.name + side))
    await seat.close()
    return copy


def sql(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement, values)


def asides(seat: SqliteSeat) -> dict[str, int]:
    """The files that were moved aside, with their sizes."""
    return {p.name.split("Z")[1]: p.stat().st_size for p in seat.path.parent.glob(f"{seat.path.name}.aside-*")}


async def moved_aside(seat: SqliteSeat) -> None:
    store = await seat.open()
    assert store.notice is not None
    assert "moved aside" in store.notice
    assert asides(seat)
    assert (await store.load()).revision == 0
    await use(store)


@pytest.mark.parametrize("table", TABLES)
async def test_a_store_that_lost_a_table_is_moved_aside(seat: SqliteSeat, table: str) -> None:
    sql(seat.path, f"DROP TABLE {table}")
    await moved_aside(seat)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE version DROP COLUMN first_seen",
        "PRAGMA user_version = 0",
        "PRAGMA user_version = 1",
        "PRAGMA user_version = -7",
    ],
)
async def test_a_store_that_is_not_of_the_version_that_it_says_is_moved_aside(seat: SqliteSeat, statement: str) -> None:
    sql(seat.path, statement)
    await moved_aside(seat)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def lost(path: Path) -> None:
    path.unlink()


def flipped(log: Path, at: int, length: int) -> None:
    with log.open("r+b") as file:
        file.seek(at)
        spoilt = bytes(byte ^ 0xFF for byte in file.read(length))
        file.seek(at)
        file.write(spoilt)


def cut(log: Path, at: int, _: int) -> None:
    os.truncate(log, at)


@pytest.mark.parametrize("spoil", [flipped, cut])
@pytest.mark.parametrize("share", [0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
async def test_a_damaged_write_ahead_log_leaves_an_earlier_state_whole(
    tmp_path: Path, spoil: Callable[[Path, int, int], None], share: float
) -> None:
    seat, copy = SqliteSeat(tmp_path / "running.sqlite3"), SqliteSeat(tmp_path / "crashed.sqlite3")
    store = await seat.open()
    await store._run(lambda connection: connection.execute("PRAGMA wal_autocheckpoint = 0").fetchone())
    for number in range(1, 31):
        await store.commit(revision(number, [added(2 * number - 1), added(2 * number)], of=rows(number)))
    for side in ("", "-wal"):
        shutil.copy(seat.path.with_name(seat.path.name + side), copy.path.with_name(copy.path.name + side))
    await seat.close()
    log = copy.path.with_name(copy.path.name + "-wal")
    spoil(log, int(log.stat().st_size * share), 8)
    store = await copy.open()
    stored = await store.load()
    assert store.notice is None
    assert stored.revision < 30
    assert stored.seq == 2 * stored.revision
    assert seqs((await store.read(0, 100)).changes) == [*range(1, stored.seq + 1)]
    if stored.revision:
        assert stored.listings == {PROVIDER: kept(rows(stored.revision))}
    await store.register([PROVIDER], NOW, list_ttl=timedelta(minutes=10), opens=token_hex(8))
    await store.commit(revision(stored.revision + 1, [added(stored.seq + n) for n in range(1, 99)]))
    later = Position(EPOCH, 60)
    assert not (await store.load()).timeline.holds(later, last=stored.seq + 98)
    await copy.close()


@pytest.mark.parametrize("spoil", [emptied, lost])
async def test_a_crashed_store_of_which_a_part_is_gone_is_moved_aside_as_it_is(
    crashed: SqliteSeat, spoil: Callable[[Path], None]
) -> None:
    spoil(crashed.path)
    left = {
        side: path.stat().st_size
        for side in ("", "-wal", "-shm")
        if (path := crashed.path.with_name(crashed.path.name + side)).exists()
    }
    await moved_aside(crashed)
    assert asides(crashed) == left


async def test_an_empty_file_is_said(tmp_path: Path) -> None:
    seat = SqliteSeat(tmp_path / "store.sqlite3")
    seat.path.touch()
    await moved_aside(seat)


async def test_a_crashed_store_is_taken_up_whole(crashed: SqliteSeat) -> None:
    store = await crashed.open()
    assert store.notice is None
    stored = await store.load()
    assert (stored.revision, stored.seq, len(stored.listings[PROVIDER].listing.models)) == (1, 30, 60)


def _flip(rng: Random, path: Path) -> None:
    with path.open("r+b") as file:
        for _ in range(rng.choice([1, 8, 64])):
            file.seek(rng.randrange(path.stat().st_size))
            file.write(rng.randbytes(rng.choice([1, 4])))


def _overwrite(rng: Random, path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(rng.randrange(path.stat().st_size))
        file.write(rng.choice([b"\x00", b"\xff", rng.randbytes(1)]) * rng.choice([16, 512, 4096]))


def _truncate(rng: Random, path: Path) -> None:
    os.truncate(path, rng.randrange(path.stat().st_size))


def _drop(_: Random, path: Path) -> None:
    path.unlink()


def _rewrite(rng: Random, path: Path) -> None:
    """Put a value that does not belong there into a column, or take rows away."""
    table = rng.choice(TABLES)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        columns = [name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]
        column = rng.choice(columns)
        value = rng.choice([None, -1, 2**62, 1.5, "", "{}", "word", b"\xff\x00", "[" * 9, "Ω"])
        connection.create_function("picked", 0, lambda: rng.random() < 0.4)
        try:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            if rng.random() < 0.2:
                connection.execute(f"DELETE FROM {table} WHERE picked()")  # noqa: S608 - our own tables
            else:
                connection.execute(f"UPDATE {table} SET {column} = ? WHERE picked()", (value,))  # noqa: S608 - our own
        except sqlite3.IntegrityError:
            return


HARM: tuple[Callable[[Random, Path], None], ...] = (_flip, _overwrite, _truncate, _drop, _rewrite)


@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_random_damage_never_ends_a_start(seat: SqliteSeat, crashed: SqliteSeat, seed: int) -> None:
    rng = Random(seed)
    hurt = rng.choice([seat, crashed])
    harm = rng.choice(HARM)
    sides = [p for p in hurt.path.parent.glob(f"{hurt.path.name}*") if harm is not _rewrite or p == hurt.path]
    harm(rng, rng.choice(sorted(sides)))
    try:
        store = await hurt.open()
        assert store.notice is None or "moved aside" in store.notice
        await use(store)
    except (StoreUnusable, StoreConflict):
        pass
    else:
        again = await hurt.open()
        assert again.notice is None
        assert (await again.load()).listings[PROVIDER] == kept(listing(model("new")))

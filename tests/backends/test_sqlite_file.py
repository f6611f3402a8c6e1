"""The embedded store's file: what cannot be read is moved aside and said once; what is in use is left alone.

One way to spoil a file is a few lines, and there are many: hence the length.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from unittest.mock import Mock

import pytest

from backends import _connection, _log
from backends._schema import VERSION
from backends.retention import Retention
from backends.sqlite import SqliteStore, open_store
from catalogue.listing import merged
from catalogue.ports.errors import StoreConflict, StoreUnusable
from tests.backends.conftest import SqliteSeat
from tests.backends.samples import added, kept, resync, revision, seqs
from tests.catalogue.strategies import NOW, PROVIDER, listing, model

MANY = tuple(model(f"m{n}", description="word " * 40) for n in range(200))


@pytest.fixture
async def seat(tmp_path: Path) -> SqliteSeat:
    """A closed store that holds a list of 200 models and one change."""
    seat = SqliteSeat(tmp_path / "store.sqlite3")
    await (await seat.open()).commit(revision(1, [added(1)], of=listing(*MANY)))
    await seat.close()
    return seat


def sql(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)


def garbage(path: Path) -> None:
    path.write_bytes(b"this is no database at all" * 100)


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def cut_within_a_page(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 100)


def overwritten_in_the_middle(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(b"\xff" * 8192)


def newer(path: Path) -> None:
    sql(path, f"PRAGMA user_version = {VERSION + 1}")


def foreign(path: Path) -> None:
    path.unlink()
    sql(path, "CREATE TABLE somebody_elses (id)")


def unreadable_facts(path: Path) -> None:
    sql(path, "UPDATE version SET facts = '{\"id\": 1' WHERE id = 7")


def unknown_word(path: Path) -> None:
    sql(path, "UPDATE health SET body = replace(body, 'unknown', 'sleepy')")


def lost_state(path: Path) -> None:
    sql(path, "DELETE FROM state")


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (garbage, "damaged"),
        (truncated, "damaged"),
        (cut_within_a_page, "The store"),
        (overwritten_in_the_middle, "damaged"),
        (newer, "newer version"),
        (foreign, "not one of"),
        (unreadable_facts, "cannot be read"),
        (unknown_word, "cannot be read"),
        (lost_state, "cannot be read"),
    ],
)
async def test_an_unreadable_store_is_moved_aside_and_a_new_one_begun(
    seat: SqliteSeat, spoil: Callable[[Path], None], word: str
) -> None:
    spoil(seat.path)
    spoiled = seat.path.read_bytes()
    store = await seat.open()
    stored = await store.load()
    assert (stored.revision, stored.listings) == (0, {})
    kept = seat.path.with_name("store.sqlite3.aside-20260501T120000Z")
    assert kept.stat().st_size == len(spoiled)
    assert store.notice is not None
    assert word in store.notice
    assert kept.name in store.notice
    assert str(seat.path.parent) not in store.notice


async def test_damage_that_no_start_would_stumble_over_is_found_all_the_same(tmp_path: Path) -> None:
    seat = SqliteSeat(tmp_path / "log.sqlite3")
    await (await seat.open()).commit(revision(1, [added(seq) for seq in range(1, 501)]))
    await seat.close()
    overwritten_in_the_middle(seat.path)
    store = await seat.open()
    assert "damaged" in (store.notice or "")
    assert (await store.load()).seq == 0


async def test_it_is_said_once(seat: SqliteSeat) -> None:
    garbage(seat.path)
    assert (await seat.open()).notice
    store = await seat.open()
    assert store.notice is None
    await store.commit(revision(1, of=listing(*MANY)))
    assert (await seat.open()).notice is None


async def test_a_second_one_at_the_same_moment_does_not_take_the_first_ones_place(seat: SqliteSeat) -> None:
    for _ in range(2):
        await seat.close()
        garbage(seat.path)
        await seat.open()
    asides = {p.name for p in seat.path.parent.glob("*.aside-*")}
    assert asides == {"store.sqlite3.aside-20260501T120000Z", "store.sqlite3.aside-20260501T120000Z-2"}


async def test_side_files_of_an_unreadable_store_do_not_reach_the_new_one(seat: SqliteSeat) -> None:
    garbage(seat.path)
    wal = seat.path.with_name("store.sqlite3-wal")
    wal.write_bytes(b"half a log")
    store = await seat.open()
    assert (await store.load()).revision == 0
    assert not wal.exists() or wal.read_bytes() != b"half a log"


async def test_a_store_of_a_newer_version_keeps_what_it_held(seat: SqliteSeat) -> None:
    newer(seat.path)
    await seat.open()
    await seat.close()
    aside = next(seat.path.parent.glob("*.aside-*"))
    sql(aside, f"PRAGMA user_version = {VERSION}")
    stored = await (await SqliteSeat(aside).open()).load()
    assert stored.listings == {PROVIDER: kept(listing(*MANY))}


async def test_a_store_in_use_is_never_moved_away(seat: SqliteSeat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_connection, "_PATIENCE", _connection._PATIENCE * 0)
    store = await seat.open()
    await store._run(lambda connection: connection.execute(f"PRAGMA user_version = {VERSION + 1}"))
    with pytest.raises(StoreConflict):
        await open_store(seat.path, clock=lambda: NOW, retention=Retention())
    assert not list(seat.path.parent.glob("*.aside-*"))
    await store.commit(revision(2, [added(2)]))


async def two(seat: SqliteSeat) -> tuple[SqliteStore, SqliteStore]:
    return await seat.open(), await open_store(seat.path, clock=lambda: NOW, retention=Retention())


async def test_a_second_server_reads_along_and_its_late_revision_is_refused(seat: SqliteSeat) -> None:
    first, second = await two(seat)
    await first.commit(revision(2, [added(2)]))
    assert seqs((await second.read(0, 10)).changes) == [1, 2]
    with pytest.raises(StoreConflict, match="CATALOGUE_DATA_DIR"):
        await second.commit(revision(2, [added(2)], of=listing()))
    assert (await first.load()).listings == {PROVIDER: kept(listing(*MANY))}
    await second.close()


async def test_a_second_server_that_read_anew_may_go_on(seat: SqliteSeat) -> None:
    first, second = await two(seat)
    await second.load()
    await first.commit(revision(2, of=merged(listing(*MANY), MANY[:-1], at=NOW)))
    current = (await second.load()).listings[PROVIDER].listing
    following = merged(current, MANY[1:], at=NOW)
    await second.commit(revision(3, of=following))
    assert (await first.load()).listings[PROVIDER] == kept(following)
    await second.close()


async def test_a_lock_that_is_not_released_is_told_as_a_conflict(
    seat: SqliteSeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_connection, "_PATIENCE", _connection._PATIENCE * 0)
    store = await seat.open()
    with closing(sqlite3.connect(seat.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreConflict):
            await store.commit(revision(2))
    await store.commit(revision(2))


@pytest.mark.parametrize("name", ["file/store.sqlite3", "file/below/store.sqlite3"])
async def test_a_folder_that_cannot_be_made_is_told_with_the_setting(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnusable, match="CATALOGUE_DATA_DIR") as told:
        await open_store(tmp_path / name, clock=lambda: NOW, retention=Retention())
    assert str(tmp_path) not in str(told.value)


@pytest.mark.parametrize("suffix", ["", "-wal"])
async def test_a_folder_in_place_of_a_file_is_told_by_its_name_with_the_remedy(seat: SqliteSeat, suffix: str) -> None:
    seat.path.unlink()
    folder = seat.path.with_name(seat.path.name + suffix)
    folder.mkdir()
    with pytest.raises(StoreUnusable, match=f"^{folder.name} is not a file. Move it away"):
        await seat.open()
    assert folder.is_dir()
    assert not list(seat.path.parent.glob("*.aside-*"))


async def test_a_link_to_nothing_is_told_by_its_name(seat: SqliteSeat) -> None:
    seat.path.unlink()
    seat.path.symlink_to(seat.path.with_name("gone"))
    with pytest.raises(StoreUnusable, match=f"^{seat.path.name} is not a file. Move it away"):
        await seat.open()


async def test_a_file_that_may_not_be_used_is_told_by_its_name_with_the_remedy(
    seat: SqliteSeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = seat.path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr("os.access", lambda *_: False)  # who runs the tests as root may use every file
        with pytest.raises(StoreUnusable, match=r"^store.sqlite3 is not readable and writable\. Allow"):
            await seat.open()
    assert seat.path.read_bytes() == held
    assert (await (await seat.open()).load()).revision == 1


async def test_a_store_that_a_full_disk_cuts_off_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat, full = SqliteSeat(tmp_path / "store.sqlite3"), sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    with monkeypatch.context() as patch:
        patch.setattr("backends._schema.prepare", Mock(side_effect=full))
        with pytest.raises(StoreUnusable, match="is full"):
            await seat.open()
    assert (await seat.open()).notice is None, "what was left would pass for a damaged store"


async def test_a_full_disk_is_told_and_the_store_goes_on_when_there_is_room(seat: SqliteSeat) -> None:
    store = await seat.open()
    before = await store.load()
    await store._run(lambda c: c.execute("PRAGMA max_page_count = 1").fetchone())
    larger = merged(
        before.listings[PROVIDER].listing, [model(f"x{n}", description="word " * 400) for n in range(50)], at=NOW
    )
    with pytest.raises(StoreUnusable, match="is full"):
        await store.commit(revision(2, [added(2)], of=larger))
    assert (await store.load()) == before
    await store._run(lambda c: c.execute("PRAGMA max_page_count = 1000000").fetchone())
    await store.commit(revision(2, [added(2)], of=larger))
    assert (await (await seat.open()).load()).listings[PROVIDER] == kept(larger)


async def test_a_revision_that_breaks_half_way_leaves_nothing(
    seat: SqliteSeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    store = await seat.open()
    monkeypatch.setattr(_log, "append", broken)
    with pytest.raises(RuntimeError):
        await store.commit(revision(2, [added(2)], of=listing(MANY[0])))
    stored = await (await seat.open()).load()
    assert stored.revision == 1
    assert stored.listings == {PROVIDER: kept(listing(*MANY))}


async def test_a_store_that_became_read_only_is_told_with_the_setting(seat: SqliteSeat) -> None:
    store = await seat.open()
    await store._run(lambda c: c.execute("PRAGMA query_only = 1"))
    with pytest.raises(StoreUnusable, match="is not writable"):
        await store.commit(revision(2))
    assert (await store.load()).revision == 1


async def test_a_refresh_writes_only_the_models_that_changed(seat: SqliteSeat) -> None:
    store = await seat.open()
    before = (await store.load()).listings[PROVIDER].listing
    rows = [model(f"m{n}", name="new") if n < 2 else facts for n, facts in enumerate(MANY)]
    written = await store._run(lambda c: c.total_changes)
    await store.commit(revision(2, [resync(2)], of=merged(before, rows, at=NOW)))
    models, ended, versions, listing_detail_change_health_and_state = 2, 2, 2, 5
    expected = models + ended + versions + listing_detail_change_health_and_state
    assert await store._run(lambda c: c.total_changes) - written == expected


async def test_a_closed_store_leaves_one_file(seat: SqliteSeat) -> None:
    await seat.open()
    await seat.close()
    assert [p.name for p in seat.path.parent.iterdir()] == ["store.sqlite3"]


async def test_the_files_of_a_store_are_for_their_owner_only(tmp_path: Path) -> None:
    store = await open_store(tmp_path / "catalogue.db", clock=lambda: NOW, retention=Retention())
    modes = _modes(tmp_path)
    await store.close()
    assert modes == dict.fromkeys(("catalogue.db", "catalogue.db-wal", "catalogue.db-shm"), "0o600")


def _modes(folder: Path) -> dict[str, str]:
    return {file.name: oct(file.stat().st_mode & 0o777) for file in folder.iterdir()}

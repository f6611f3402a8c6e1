"""A store whose file is deleted or replaced under the running server: nothing acknowledged is lost."""

import shutil
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest
from structlog.testing import capture_logs

from backends.retention import Retention
from backends.sqlite import open_store
from catalogue.ports.errors import StoreConflict, StoreUnusable
from catalogue.ports.revisions import Stored
from tests.backends.conftest import SqliteSeat
from tests.backends.samples import added, begin, revision, seqs
from tests.catalogue.strategies import NOW, PROVIDER, listing, model

ROWS = [model(f"m{n}") for n in range(50)]


@pytest.fixture
def seat(tmp_path: Path) -> SqliteSeat:
    return SqliteSeat(tmp_path / "data" / "store.sqlite3")


def folder_deleted(path: Path) -> None:
    shutil.rmtree(path.parent)


def file_deleted(path: Path) -> None:
    path.unlink()


def log_deleted(path: Path) -> None:
    path.with_name(path.name + "-wal").unlink()


def all_files_deleted(path: Path) -> None:
    for file in path.parent.iterdir():
        file.unlink()


def replaced_by_garbage(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"no database" * 1000)
    other.rename(path)


def replaced_by_an_older_one(path: Path) -> None:
    other = path.with_name("backup")
    shutil.copy(path, other)
    other.rename(path)


def folder_replaced(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))
    path.parent.mkdir()


LOSSES = [
    folder_deleted,
    file_deleted,
    log_deleted,
    all_files_deleted,
    replaced_by_garbage,
    replaced_by_an_older_one,
    folder_replaced,
]


def of(stored: Stored) -> tuple[int, int, int]:
    return stored.revision, stored.seq, len(stored.listings[PROVIDER].listing.models)


@pytest.mark.parametrize("lose", LOSSES)
async def test_the_next_write_brings_back_all_that_was_acknowledged(
    seat: SqliteSeat, lose: Callable[[Path], None]
) -> None:
    store = await seat.open()
    timeline = (await store.load()).timeline
    await store.commit(revision(1, [added(1), added(2)], of=listing(*ROWS)))
    lose(seat.path)
    with capture_logs() as lines:
        await store.commit(revision(2, [added(3)]))
        await store.commit(revision(3, [added(4)]))
    assert [line["event"] for line in lines] == ["store_rescued"]
    assert str(seat.path.parent) not in str(lines)
    again = await seat.open()
    assert again.notice is None
    assert of(await again.load()) == (3, 4, 50)
    assert (await again.load()).timeline == timeline
    assert seqs((await again.read(0, 10)).changes) == [1, 2, 3, 4]


@pytest.mark.parametrize("lose", LOSSES)
async def test_it_survives_a_kill_after_the_rescue(
    seat: SqliteSeat, tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    store = await seat.open()
    await store.commit(revision(1, of=listing(*ROWS)))
    lose(seat.path)
    await store.commit(revision(2, [added(1)]))
    killed = tmp_path / "killed"
    shutil.copytree(seat.path.parent, killed)
    stored = await (await SqliteSeat(killed / seat.path.name).open()).load()
    assert of(stored) == (2, 1, 50)


@pytest.mark.parametrize("lose", LOSSES)
async def test_closing_brings_it_back_as_well(seat: SqliteSeat, lose: Callable[[Path], None]) -> None:
    await (await seat.open()).commit(revision(1, of=listing(*ROWS)))
    lose(seat.path)
    assert of(await (await seat.open()).load()) == (1, 0, 50)


async def test_a_folder_that_another_server_has_taken_is_left_to_it_and_reads_go_on(tmp_path: Path) -> None:
    claim, path = Mock(), tmp_path / "data" / "store.sqlite3"
    store = await open_store(path, clock=lambda: NOW, retention=Retention(), claim=claim)
    await begin(store)
    await store.commit(revision(1, [added(1)], of=listing(*ROWS)))
    shutil.rmtree(path.parent)
    other = SqliteSeat(path)
    await (await other.open()).commit(revision(1))
    claim.side_effect = StoreConflict("Another server uses it now.")
    with pytest.raises(StoreConflict):
        await store.commit(revision(2))
    assert seqs((await store.read(0, 10)).changes) == [1]
    with pytest.raises(StoreConflict):
        await store.close()
    again = await other.open()
    assert again.notice is None
    assert not list(path.parent.glob("*.aside-*"))
    await other.close()


async def test_what_took_its_place_is_moved_aside(seat: SqliteSeat) -> None:
    store = await seat.open()
    await store.commit(revision(1, of=listing(*ROWS)))
    replaced_by_garbage(seat.path)
    with capture_logs() as lines:
        await store.commit(revision(2))
    (aside,) = (p for p in seat.path.parent.glob("*.aside-*") if not p.name.endswith(("-wal", "-shm")))
    assert aside.read_bytes().startswith(b"no database")
    assert aside.name in lines[0]["reason"]


async def test_while_the_folder_cannot_be_made_it_is_told_and_reads_go_on(seat: SqliteSeat) -> None:
    store = await seat.open()
    await store.commit(revision(1, [added(1)], of=listing(*ROWS)))
    shutil.rmtree(seat.path.parent)
    seat.path.parent.write_text("a file stands where the folder should be")
    for _ in range(2):
        with pytest.raises(StoreUnusable, match="CATALOGUE_DATA_DIR"):
            await store.commit(revision(2, [added(2)]))
    assert len((await store.read(0, 10)).changes) == 1
    seat.path.parent.unlink()
    await store.commit(revision(2, [added(2)]))
    assert of(await (await seat.open()).load()) == (2, 2, 50)


async def test_a_store_left_alone_is_never_written_anew(seat: SqliteSeat) -> None:
    store = await seat.open()
    inode = seat.path.stat().st_ino
    for number in range(1, 6):
        await store.commit(revision(number))
    assert seat.path.stat().st_ino == inode

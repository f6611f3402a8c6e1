"""Epochs of the log: which cursors can be resumed after trimming, many starts, and a backup that is put back."""

import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from backends import _log
from backends.retention import Retention
from backends.sqlite import SqliteStore
from catalogue.change import Change, Resync
from catalogue.position import Epoch, Position
from catalogue.snapshot import snapshot_of
from polling.feed import Feed
from polling.ledger import Current
from tests.backends.conftest import SqliteSeat
from tests.backends.samples import EPOCH, added, resync, revision
from tests.catalogue.strategies import HOUR, NOW, PROVIDER
from tests.polling.still_clock import StillClock


@pytest.fixture
async def seat(tmp_path: Path) -> AsyncIterator[SqliteSeat]:
    seat = SqliteSeat(tmp_path / "store.sqlite3")
    yield seat
    await seat.close()


async def start(store: SqliteStore, epoch: str) -> None:
    """What a start of the server does."""
    await store.register([PROVIDER], NOW, list_ttl=HOUR, opens=epoch)


async def grow(store: SqliteStore, count: int) -> None:
    stored = await store.load()
    changes = [resync(stored.seq + number) for number in range(1, count + 1)]
    await store.commit(revision(stored.revision + 1, changes))


def name(number: int) -> str:
    return f"{number:016x}"


async def test_the_oldest_position_is_before_the_first_change_in_the_epoch_that_holds_it(seat: SqliteSeat) -> None:
    store = await seat.open(Retention(log_length=3))
    assert await store.oldest() == Position(EPOCH, 0)
    await grow(store, 4)
    await start(store, name(2))
    await grow(store, 2)
    assert await store.oldest() == Position(EPOCH, 0)
    await store.trim(NOW)
    assert await store.oldest() == Position(EPOCH, 3)
    await grow(store, 2)
    await store.trim(NOW)
    assert await store.oldest() == Position(name(2), 5)


async def test_trimming_keeps_the_epochs_of_which_a_position_can_be_resumed(seat: SqliteSeat) -> None:
    store = await seat.open(Retention(log_length=4))
    for number in range(2, 5):
        await grow(store, 2)
        await start(store, name(number))
    await store.trim(NOW)
    assert (await store.load()).timeline.epochs == (
        Epoch(EPOCH, 1),
        Epoch(name(2), 3),
        Epoch(name(3), 5),
        Epoch(name(4), 7),
    )
    await grow(store, 1)
    await store.trim(NOW)
    timeline = (await store.load()).timeline
    assert timeline.epochs == (Epoch(name(2), 3), Epoch(name(3), 5), Epoch(name(4), 7))
    assert timeline.holds(await store.oldest(), last=7)


async def test_a_log_without_changes_keeps_the_epochs_in_which_its_end_was_given(seat: SqliteSeat) -> None:
    store = await seat.open()
    await grow(store, 2)
    await start(store, name(2))
    await start(store, name(3))
    await store.trim(NOW + timedelta(days=1000))
    stored = await store.load()
    assert stored.timeline.epochs == (Epoch(EPOCH, 1), Epoch(name(2), 3), Epoch(name(3), 3))
    assert await store.oldest() == Position(EPOCH, 2)


async def test_the_number_of_epochs_is_bounded_and_the_oldest_position_is_one_that_holds(
    seat: SqliteSeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_log, "_MOST_EPOCHS", 5)
    store = await seat.open()
    for number in range(20):
        await start(store, name(number + 2))
        await grow(store, 1)
    await store.trim(NOW)
    stored = await store.load()
    assert stored.timeline.epochs == tuple(Epoch(name(number + 2), number + 1) for number in range(15, 20))
    oldest = await store.oldest()
    assert oldest == Position(name(17), 15)
    assert stored.timeline.holds(oldest, last=stored.seq)


async def first_change(store: SqliteStore, since: Position) -> Change:
    """What a follower that resumes is sent first."""
    stored = await store.load()
    snapshot = snapshot_of(
        [], number=stored.revision, position=stored.timeline.end(stored.seq), updated_at=stored.updated_at
    )
    feed = Feed(log=store, reader=Current(snapshot), timeline=stored.timeline, clock=StillClock())
    return await anext(aiter(feed.follow(since.cursor)))


async def restored_backup(seat: SqliteSeat, tmp_path: Path) -> tuple[SqliteStore, Position]:
    """A store whose file was put back to an earlier state and grew again, and a position given after the backup."""
    backup = tmp_path / "backup"
    store = await seat.open()
    await grow(store, 10)
    await seat.close()
    shutil.copy(seat.path, backup)
    store = await seat.open()
    await start(store, name(2))
    await grow(store, 10)
    stored = await store.load()
    await seat.close()
    shutil.copy(backup, seat.path)
    store = await seat.open()
    await start(store, name(3))
    await grow(store, 20)
    return store, stored.timeline.end(stored.seq)


async def test_positions_from_after_a_backup_that_is_put_back_do_not_hold(seat: SqliteSeat, tmp_path: Path) -> None:
    store, position = await restored_backup(seat, tmp_path)
    stored = await store.load()
    assert (position, stored.seq) == (Position(name(2), 20), 30)
    assert not stored.timeline.holds(position, last=30)
    assert not stored.timeline.holds(Position(EPOCH, 11), last=30)
    assert stored.timeline.holds(Position(EPOCH, 10), last=30)


async def test_a_follower_with_a_cursor_from_after_the_backup_gets_a_resync(seat: SqliteSeat, tmp_path: Path) -> None:
    """The numbers go on as if nothing had happened, so that without epochs it would miss changes without a word."""
    store, position = await restored_backup(seat, tmp_path)
    change = await first_change(store, position)
    assert isinstance(change, Resync)
    assert change.reason == "The changes after this cursor are not in the log."
    assert change.position == Position(name(3), 30)


async def test_a_follower_with_a_cursor_from_before_the_backup_goes_on(seat: SqliteSeat, tmp_path: Path) -> None:
    store, _ = await restored_backup(seat, tmp_path)
    change = await first_change(store, Position(EPOCH, 10))
    assert change.position == Position(name(3), 11)


async def test_changes_are_of_the_epoch_that_wrote_them(seat: SqliteSeat) -> None:
    store = await seat.open()
    await store.commit(revision(1, [added(1)]))
    await start(store, name(2))
    await store.commit(revision(2, [added(2)]))
    await store.commit(revision(3, [added(3)], opens=name(3)))
    positions = [change.position for change in (await store.read(0, 10)).changes]
    assert positions == [Position(EPOCH, 1), Position(name(2), 2), Position(name(3), 3)]

"""The store's file: opened, checked, and moved aside when it cannot be read."""

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, count
from pathlib import Path

from backends import _health, _log, _schema, _state, _wal
from backends._faults import understood
from backends.errors import StoreUnreadable, StoreUnusable
from catalogue.ports import Stored

_PATIENCE = timedelta(seconds=5)
"""How long to wait while another process writes."""
_LOG, _INDEX = "-wal", "-shm"
_SIDES = ("", _LOG, _INDEX)
_WAL_BYTES = 16 * 1024 * 1024
"""To what the write-ahead log shrinks after a large transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An open store file, what it holds, and what had to be done to open it."""

    connection: sqlite3.Connection
    stored: Stored
    notice: str | None = None


def open_file(path: Path, clock: Callable[[], datetime]) -> Opened:
    """Open a store, made new where there is none; an unreadable one is moved aside first, which `notice` tells.

    Raises:
        StoreUnusable: The folder cannot be written.
        StoreConflict: Another process holds the file, or it would have to be moved away under that process.
    """
    with understood():
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not any(_sides(path))
        try:
            return _open(path)
        except StoreUnreadable as error:
            fault = str(error)
        except StoreUnusable:
            if is_new:  # half a store, left by a full disk, would pass for a damaged one
                for side in _sides(path):
                    side.unlink()
            raise
        # Only here is the error gone, and with it the cursors that would hold the file.
        if _sound(path):
            _release(path)
        kept = _move_aside(path, clock())
        notice = f"The store {fault}: it was moved aside as {kept.name} and a new one was begun."
        return replace(_open(path), notice=notice)


def rescued(connection: sqlite3.Connection, path: Path, clock: Callable[[], datetime]) -> Opened:
    """Write an open store, whose file was deleted or replaced, to its place anew; what took its place is moved aside.

    Its content is whole: a deleted file lasts while it is open. Nothing has happened where this raises.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    copy = path.with_name(f"{path.name}.rescued")
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(copy)) as target:
        connection.backup(target)
    kept = f" What stood in its place was moved aside as {_move_aside(path, clock()).name}." if _sides(path) else ""
    copy.rename(path)
    notice = f"The store was deleted or replaced while the server ran: it was written anew, whole.{kept}"
    return replace(_open(path), notice=notice)


def identity(path: Path) -> tuple[tuple[int, int] | None, ...]:
    """Which files stand in the places of a store and of its log; a name alone does not tell a replaced one."""
    return tuple(_inode(_side(path, suffix)) for suffix in ("", _LOG))


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _open(path: Path) -> Opened:
    _want(_sound(path) or not any(_sides(path)))
    commits = _wal.commits(_side(path, _LOG))
    connection = _connect(path)
    try:
        with understood(opening=True):
            connection.execute("PRAGMA journal_mode = WAL")
            taken_up = _wal.taken_up(_side(path, _INDEX))
            _want(sum(frame > taken_up for frame in commits) <= 1)  # a crash cuts off the last transaction, never more
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
            _schema.prepare(connection)
            _check(connection)
            return Opened(connection=connection, stored=_state.read(connection))
    except BaseException:
        connection.close()
        raise


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_PATIENCE.total_seconds(), isolation_level=None)


def _sound(path: Path) -> bool:
    """Whether SQLite would take up what the files hold: an empty file or a log with a bad header it passes over."""
    return _wal.has_sound_header(_side(path, _LOG)) and path.exists() and path.stat().st_size > 0


def _side(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _check(connection: sqlite3.Connection) -> None:
    _want(connection.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok")
    _want(_schema.check(connection) and _log.check(connection))
    _health.check(connection)


def _want(sound: bool) -> None:  # noqa: FBT001 - what is asked for, and nothing else
    if not sound:
        raise StoreUnreadable("is damaged")


def _move_aside(path: Path, now: datetime) -> Path:
    """Rename a store and its side files."""
    stem = f"{path.name}.aside-{now:%Y%m%dT%H%M%SZ}"
    names = (path.with_name(f"{stem}{suffix}") for suffix in chain([""], (f"-{n}" for n in count(2))))
    kept = next(name for name in names if not any(_sides(name)))
    for side in _sides(path):
        side.rename(kept.with_name(kept.name + side.name.removeprefix(path.name)))
    return kept


def _sides(path: Path) -> list[Path]:
    """A store's file and those that SQLite keeps beside it, as far as they are there."""
    return [side for suffix in _SIDES if (side := _side(path, suffix)).exists()]


def _release(path: Path) -> None:
    """Leave WAL mode, which SQLite refuses, as a StoreConflict, while another process has the file open.

    A damaged file may refuse too.
    """
    connection = _connect(path)
    try:
        with suppress(StoreUnreadable), understood():
            connection.execute("PRAGMA journal_mode = DELETE")
    finally:
        connection.close()

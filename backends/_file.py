"""The store's file: opened, checked, and moved aside when it cannot be read."""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, count
from pathlib import Path

from backends import _schema, _state
from backends._faults import understood
from backends.errors import StoreUnreadable
from catalogue.ports import Stored

_PATIENCE = timedelta(seconds=5)
"""How long to wait while another process writes."""
_SIDES = ("", "-wal", "-shm")
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
        try:
            return _open(path)
        except StoreUnreadable as error:
            fault = str(error)
        # Only here is the error gone, and with it the cursors that would hold the file.
        kept = _move_aside(path, clock())
        notice = f"The store {fault}: it was moved aside as {kept.name} and a new one was begun."
        return replace(_open(path), notice=notice)


def _open(path: Path) -> Opened:
    connection = _connect(path)
    try:
        with understood():
            connection.execute("PRAGMA journal_mode = WAL")
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


def _check(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise StoreUnreadable("is damaged")


def _move_aside(path: Path, now: datetime) -> Path:
    """Rename an unreadable store and its side files; StoreConflict while another process uses it."""
    _release(path)
    stem = f"{path.name}.aside-{now:%Y%m%dT%H%M%SZ}"
    names = (path.with_name(f"{stem}{suffix}") for suffix in chain([""], (f"-{n}" for n in count(2))))
    kept = next(name for name in names if not name.exists())
    for side in _SIDES:
        with suppress(FileNotFoundError):
            path.with_name(path.name + side).rename(kept.with_name(kept.name + side))
    return kept


def _release(path: Path) -> None:
    """Leave WAL mode, which SQLite refuses while another process has the file open; a damaged file may refuse too."""
    connection = _connect(path)
    try:
        with suppress(StoreUnreadable), understood():
            connection.execute("PRAGMA journal_mode = DELETE")
    finally:
        connection.close()

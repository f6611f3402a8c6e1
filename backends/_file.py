"""The store's file: opened, checked, and moved aside when it cannot be read."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from backends import _audit, _health, _log, _schema, _state, _wal
from backends._aside import INDEX, LOG, move_aside, side, sides
from backends._connection import connect, set_up
from backends._faults import understood
from backends._rescue import finish_rescue
from backends.errors import StoreUnreadable, StoreUnusable
from catalogue.ports.store import Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An open store file, what it holds, and what had to be done to open it."""

    connection: sqlite3.Connection
    stored: Stored
    notice: str | None = None


def open_file(path: Path, clock: Callable[[], datetime]) -> Opened:
    """Open a store, made new where there is none; an unreadable one is moved aside first, which `notice` tells.

    Raises:
        StoreUnusable: The folder, or a file of the store, cannot be read or written.
        StoreConflict: Another process holds the file, or it would have to be moved away under that process.
    """
    with understood():
        path.parent.mkdir(parents=True, exist_ok=True)
        finish_rescue(path, clock())
        for found in sides(path):
            _want_usable(found)
        is_new = not sides(path)
        try:
            return _open(path)
        except StoreUnreadable as error:
            fault = str(error)
        except StoreUnusable:
            if is_new:  # half a store, left by a full disk, would pass for a damaged one
                for left in sides(path):
                    left.unlink()
            raise
        # Only here is the error gone, and with it the cursors that would hold the file.
        if _sound(path):
            _release(path)
        notice = f"The store {fault}: it was {move_aside(path, clock())} and a new one was begun."
        return replace(_open(path), notice=notice)


def _open(path: Path) -> Opened:
    _want(_sound(path) or not any(sides(path)))
    commits = _wal.commits(side(path, LOG))
    connection = connect(path)
    try:
        with understood(opening=True):
            set_up(connection)
            taken_up = _wal.taken_up(side(path, INDEX))
            _want(sum(frame > taken_up for frame in commits) <= 1)  # a crash cuts off the last transaction, never more
            _schema.prepare(connection)
            _check(connection)
            return Opened(connection=connection, stored=_state.read(connection))
    except BaseException:
        connection.close()
        raise


def _sound(path: Path) -> bool:
    """Whether SQLite would take up what the files hold: an empty file or a log with a bad header it passes over."""
    return _wal.has_sound_header(side(path, LOG)) and path.exists() and path.stat().st_size > 0


def _check(connection: sqlite3.Connection) -> None:
    _want(connection.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok")
    _want(_schema.check(connection) and _log.check(connection))
    _health.check(connection)
    _audit.check(connection)


def _want(sound: bool) -> None:  # noqa: FBT001 - what is asked for, and nothing else
    if not sound:
        raise StoreUnreadable("is damaged")


def _want_usable(file: Path) -> None:
    """Tell what is no file, or may not be used: SQLite says of either only that it cannot be opened."""
    if not file.is_file():
        raise StoreUnusable(f"{file.name} is not a file. Move it away, and a new store is begun in its place.")
    if not os.access(file, os.R_OK | os.W_OK):
        raise StoreUnusable(f"{file.name} may not be read and written. Let the user that the server runs as do both.")


def _release(path: Path) -> None:
    """Leave WAL mode, which SQLite refuses, as a StoreConflict, while another process has the file open.

    A damaged file may refuse too.
    """
    connection = connect(path)
    try:
        with suppress(StoreUnreadable), understood():
            connection.execute("PRAGMA journal_mode = DELETE")
    finally:
        connection.close()

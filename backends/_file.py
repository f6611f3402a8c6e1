"""The store's file: opened, checked, and moved aside when it cannot be read."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from backends import _audit, _health, _log, _revisions, _schema
from backends._aside import move_aside, sides
from backends._connection import connect, set_up
from backends._faults import understood
from catalogue.ports.errors import StoreUnreadable, StoreUnusable
from catalogue.ports.revisions import Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An open store file, what it holds, and what had to be done to open it."""

    connection: sqlite3.Connection
    stored: Stored
    notice: str | None = None


def open_file(path: Path, clock: Callable[[], datetime]) -> Opened:
    """Open a store, or begin one. An unreadable one is moved aside first, and `notice` says so.

    Raises:
        StoreUnusable: The folder, or a file of the store, cannot be read or written.
        StoreConflict: Another process holds the file, or it would have to be moved away under that process.
    """
    with understood():
        path.parent.mkdir(parents=True, exist_ok=True)
        for found in sides(path):
            _require_usable(found)
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
        if _has_content(path):
            _release(path)
        notice = f"The store {fault}: it was {move_aside(path, clock())} and a new one was begun."
        return replace(_open(path), notice=notice)


def _open(path: Path) -> Opened:
    if sides(path) and not _has_content(path):
        raise StoreUnreadable("is damaged")
    connection = connect(path)
    try:
        with understood(opening=True):
            set_up(connection)
            _schema.prepare(connection)
            _check(connection)
            return Opened(connection=connection, stored=_revisions.read(connection))
    except BaseException:
        connection.close()
        raise


def _has_content(path: Path) -> bool:
    """Whether there is a store in the file. Without one SQLite drops the log beside it and begins a new store."""
    return path.exists() and path.stat().st_size > 0


def _check(connection: sqlite3.Connection) -> None:
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok" or not (_schema.check(connection) and _log.check(connection)):
        raise StoreUnreadable("is damaged")
    _log.mend(connection)
    _health.check(connection)
    _audit.check(connection)


def _require_usable(file: Path) -> None:
    """Name a path that is not a file or may not be used. SQLite only says that it cannot be opened."""
    if not file.is_file():
        raise StoreUnusable(f"{file.name} is not a file. Move it away, and a new store is begun in its place.")
    if not os.access(file, os.R_OK | os.W_OK):
        raise StoreUnusable(f"{file.name} is not readable and writable. Allow the server's user to read and write it.")


def _release(path: Path) -> None:
    """Leave WAL mode, which SQLite refuses, as a StoreConflict, while another process has the file open.

    A damaged file may refuse too.
    """
    with closing(connect(path)) as connection, suppress(StoreUnreadable), understood():
        connection.execute("PRAGMA journal_mode = DELETE")

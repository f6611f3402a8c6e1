"""A store whose file was deleted or replaced while it is open: noticed, and written to its place anew."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import structlog

from backends._aside import LOG, move_aside, side, sides
from backends._connection import connect, set_up

log = structlog.get_logger(__name__)


def identity(path: Path) -> tuple[tuple[int, int] | None, ...]:
    """Which files stand in the places of a store and of its log; a name alone does not tell a replaced one."""
    return tuple(_inode(side(path, suffix)) for suffix in ("", LOG))


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def rescued(connection: sqlite3.Connection, path: Path, clock: Callable[[], datetime]) -> sqlite3.Connection:
    """Write an open store, whose file was deleted or replaced, to its place anew; what took its place is moved aside.

    Its content is whole: a deleted file lasts while it is open. Where this raises it may be tried anew.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    begun = path.with_name(f"{path.name}.rescuing")
    for left in (begun, side(begun, "-journal")):
        left.unlink(missing_ok=True)
    with closing(sqlite3.connect(begun)) as target:
        connection.backup(target)
    begun.rename(_whole_copy(path))
    try:
        finish_rescue(path, clock())
    except OSError:
        _whole_copy(path).unlink()
        raise
    written = connect(path)
    set_up(written)
    return written


def _whole_copy(path: Path) -> Path:
    """Where a store lies that is whole again, and only has to take its place."""
    return path.with_name(f"{path.name}.rescued")


def finish_rescue(path: Path, now: datetime) -> None:
    """Put a store that was written anew in its place, also where the process before ended in the midst of it."""
    copy = _whole_copy(path)
    if not copy.exists():
        return
    moved = f" What stood in its place was {move_aside(path, now)}." if sides(path) else ""
    copy.rename(path)
    reason = f"The store was deleted or replaced while the server ran: it was written anew, whole.{moved}"
    log.error("store_rescued", reason=reason)

"""A store whose file is deleted or replaced while it is open is noticed, and written to its place again."""

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
    """Tell the files of a store and of its log from others that took their names."""
    return tuple(_inode(side(path, suffix)) for suffix in ("", LOG))


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def rescued(connection: sqlite3.Connection, path: Path, clock: Callable[[], datetime]) -> sqlite3.Connection:
    """Write an open store, whose file was deleted or replaced, to its place again. What stands there is moved aside.

    Its content is whole: a deleted file lasts while it is open. Where this raises it can be tried again.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    copy = path.with_name(f"{path.name}.rescuing")
    for left in (copy, side(copy, "-journal")):
        left.unlink(missing_ok=True)
    with closing(sqlite3.connect(copy)) as target:
        connection.backup(target)
    moved = f" What stood in its place was {move_aside(path, clock())}." if sides(path) else ""
    copy.rename(path)
    reason = f"The store was deleted or replaced while the server ran. It was written again, whole.{moved}"
    log.error("store_rescued", reason=reason)
    written = connect(path)
    set_up(written)
    return written

"""A connection to the store's file, and transactions on it."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Literal

from backends._rows import decoded

_PATIENCE = timedelta(seconds=5)
"""How long to wait while another process writes."""
_WAL_BYTES = 16 * 1024 * 1024
"""To what the write-ahead log shrinks after a large transaction."""


def connect(path: Path) -> sqlite3.Connection:
    """Open a file as it is, for its owner only; SQLite reads it with the first statement."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)  # the audit log holds addresses; SQLite gives the files beside it the same mode
    connection = sqlite3.connect(path, timeout=_PATIENCE.total_seconds(), isolation_level=None)
    connection.text_factory = decoded
    return connection


def set_up(connection: sqlite3.Connection) -> None:
    """Write ahead, and through to the disk with each commit."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    # Some builds of SQLite write zeros over what is deleted, which multiplies what trimming and upgrading write.
    connection.execute("PRAGMA secure_delete = OFF")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")


@contextmanager
def transaction(connection: sqlite3.Connection, kind: Literal["IMMEDIATE", "DEFERRED"] = "IMMEDIATE") -> Iterator[None]:
    """Commit at the end, roll back on an error; IMMEDIATE to write, DEFERRED to read one consistent state."""
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise

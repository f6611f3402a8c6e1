"""The epochs of the log in SQLite."""

import sqlite3
from datetime import datetime

from backends._codec import micros
from catalogue.position import Epoch, Timeline

_MOST = 1_000
"""A server that is started again and again opens an epoch each time."""
# An epoch that ends before the first position of the log holds none that can be resumed.
_TRIM = """
DELETE FROM epoch WHERE id <= (SELECT max(id) FROM epoch) - :most OR id < (
    SELECT max(id) FROM epoch WHERE first_seq <= (SELECT coalesce((SELECT min(seq) FROM change) - 1, seq) FROM state)
)
"""


def open_epoch(connection: sqlite3.Connection, name: str, at: datetime) -> None:
    """Begin an epoch with the next change."""
    connection.execute(
        "INSERT INTO epoch (name, first_seq, opened_at) SELECT ?, seq + 1, ? FROM state", (name, micros(at))
    )


def read(connection: sqlite3.Connection) -> Timeline:
    """The epochs, oldest first."""
    rows = connection.execute("SELECT name, first_seq FROM epoch ORDER BY id").fetchall()
    return Timeline(tuple(Epoch(name, first_seq) for name, first_seq in rows))


def trim(connection: sqlite3.Connection) -> None:
    """Drop the epochs of which no position can be resumed, and the oldest where there are too many."""
    connection.execute(_TRIM, {"most": _MOST})

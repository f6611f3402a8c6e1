"""The log of changes in SQLite."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from backends._codec import micros
from backends._transaction import transaction
from backends.retention import Retention
from catalogue.change import CHANGE, Change
from catalogue.ports import LogPage

_TRIM = """
DELETE FROM change
WHERE seq <= (SELECT seq FROM state) - :length
   OR seq < coalesce((SELECT seq FROM change WHERE at >= :cutoff ORDER BY seq LIMIT 1), (SELECT seq + 1 FROM state))
"""


def append(connection: sqlite3.Connection, changes: Iterable[Change]) -> None:
    """Add numbered changes."""
    connection.executemany(
        "INSERT INTO change (seq, at, kind, provider_id, body) VALUES (?, ?, ?, ?, ?)",
        ((c.seq, micros(c.at), c.kind, c.provider_id, CHANGE.dump_json(c).decode()) for c in changes),
    )


def page(connection: sqlite3.Connection, after: int, limit: int) -> LogPage:
    """At most `limit` changes after a position."""
    with transaction(connection, "DEFERRED"):
        oldest: int = connection.execute(
            "SELECT coalesce((SELECT min(seq) FROM change), seq + 1) FROM state"
        ).fetchone()[0]
        rows = connection.execute(
            "SELECT body FROM change WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit + 1)
        ).fetchall()
    return LogPage(
        changes=tuple(CHANGE.validate_json(body) for (body,) in rows[:limit]),
        trimmed=after < oldest - 1,
        more=len(rows) > limit,
    )


def trim(connection: sqlite3.Connection, retention: Retention, now: datetime) -> None:
    """Drop changes off the old end, never from the middle, whatever the clock did."""
    connection.execute(_TRIM, {"cutoff": micros(now - retention.log_age), "length": retention.log_length})

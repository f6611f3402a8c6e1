"""The log of changes in SQLite: numbered without a gap, so that whoever reads it knows that nothing is missing."""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime

import structlog

from backends._codec import micros
from backends._transaction import transaction
from backends.retention import Retention
from catalogue.change import CHANGE, Change
from catalogue.ports.store import LogPage

_TRIM = """
DELETE FROM change
WHERE seq <= (SELECT seq FROM state) - :length
   OR seq < coalesce((SELECT seq FROM change WHERE at >= :cutoff ORDER BY seq LIMIT 1), (SELECT seq + 1 FROM state))
"""

Row = tuple[int, str]

log = structlog.get_logger(__name__)


class _Broken(Exception):
    """The log is broken up to and including a position."""

    def __init__(self, seq: int) -> None:
        self.seq = seq


def append(connection: sqlite3.Connection, changes: Iterable[Change]) -> None:
    """Add numbered changes."""
    connection.executemany(
        "INSERT INTO change (seq, at, kind, provider_id, body) VALUES (?, ?, ?, ?, ?)",
        ((c.seq, micros(c.at), c.kind, c.provider_id, CHANGE.dump_json(c).decode()) for c in changes),
    )


def page(connection: sqlite3.Connection, after: int, limit: int) -> LogPage:
    """At most `limit` changes after a position.

    What is missing or unreadable ends the log there: it goes with all before it, as if it were too old to be kept.
    """
    while True:
        try:
            return _page(connection, after, limit)
        except _Broken as broken:
            log.warning("changes_unreadable", up_to=broken.seq)
            connection.execute("DELETE FROM change WHERE seq <= ?", (broken.seq,))


def _page(connection: sqlite3.Connection, after: int, limit: int) -> LogPage:
    with transaction(connection, "DEFERRED"):
        last, oldest = connection.execute(
            "SELECT seq, coalesce((SELECT min(seq) FROM change), seq + 1) FROM state"
        ).fetchone()
        rows = connection.execute(
            "SELECT seq, body FROM change WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit + 1)
        ).fetchall()
    if after < oldest - 1:
        return LogPage(changes=(), trimmed=True, more=bool(rows))
    more = len(rows) > limit
    changes = _changes(rows[:limit], after)
    if not more and after + len(changes) < last:
        raise _Broken(last)
    return LogPage(changes=changes, trimmed=False, more=more)


def _changes(rows: Sequence[Row], after: int) -> tuple[Change, ...]:
    changes: list[Change] = []
    for expected, (seq, body) in enumerate(rows, start=after + 1):
        if seq != expected:
            raise _Broken(seq - 1)
        try:
            change = CHANGE.validate_json(body)
        except ValueError:
            raise _Broken(seq) from None
        if change.seq != seq:
            raise _Broken(seq)
        changes.append(change)
    return tuple(changes)


def check(connection: sqlite3.Connection) -> bool:
    """Whether the log ends no later than the state says; else no further change could be added."""
    return connection.execute("SELECT 1 FROM change WHERE seq > (SELECT seq FROM state) LIMIT 1").fetchone() is None


def trim(connection: sqlite3.Connection, retention: Retention, now: datetime) -> None:
    """Drop changes off the old end, never from the middle, whatever the clock did."""
    connection.execute(_TRIM, {"cutoff": micros(now - retention.log_age), "length": retention.log_length})

"""The log of changes in SQLite: numbered without a gap, so that a reader knows that nothing is missing.

A change is a few numbers: which version of a model it speaks of, and which detail it shares with others of its commit.
An outage of a thousand models is one detail.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

import structlog

from backends import _versions
from backends._change import CODES, Row, body_of, reader
from backends._codec import micros
from backends._connection import transaction
from backends._log_query import select
from backends.retention import Retention
from catalogue.change import Change, ChangeFilter, ModelChange
from catalogue.facts import ModelFacts
from catalogue.ports.reading import LogPage
from catalogue.position import Epoch, Position, Timeline

_INSERT = "INSERT INTO change (seq, at, kind, provider_id, version, detail) VALUES (?, ?, ?, ?, ?, ?)"
_BROKEN = """
SELECT max(seq) FROM (
    SELECT seq - 1 AS seq FROM change
    WHERE seq > (SELECT min(seq) FROM change) AND seq - 1 NOT IN (SELECT seq FROM change)
    UNION ALL SELECT seq FROM state WHERE seq > (SELECT max(seq) FROM change)
    UNION ALL SELECT seq FROM change
    WHERE detail NOT IN (SELECT id FROM detail) OR (version IS NOT NULL AND version NOT IN (SELECT id FROM version))
)
"""
_TRIM = """
DELETE FROM change
WHERE seq <= (SELECT seq FROM state) - :length
   OR seq < coalesce((SELECT seq FROM change WHERE at >= :cutoff ORDER BY seq LIMIT 1), (SELECT seq + 1 FROM state))
"""

_MOST_EPOCHS = 1_000
"""A server that is started again and again opens an epoch each time."""
# An epoch that ends before the first position of the log holds none that can be resumed.
_TRIM_EPOCHS = """
DELETE FROM epoch WHERE id <= (SELECT max(id) FROM epoch) - :most OR id < (
    SELECT max(id) FROM epoch WHERE first_seq <= (SELECT coalesce((SELECT min(seq) FROM change) - 1, seq) FROM state)
)
"""

log = structlog.get_logger(__name__)


class _Broken(Exception):
    """A change cannot be read."""

    def __init__(self, seq: int) -> None:
        self.seq = seq


def append(connection: sqlite3.Connection, changes: Iterable[Change], listed: Mapping[str, ModelFacts]) -> None:
    """Add numbered changes; `listed` is what the stored listings say. Equal details are stored once."""
    details: dict[str, int] = {}
    for change in changes:
        body, at, version = body_of(change), micros(change.at), None
        if body not in details:
            details[body] = connection.execute("INSERT INTO detail (body) VALUES (?)", (body,)).lastrowid or 0
        if isinstance(change, ModelChange):
            facts = change.model.facts
            is_listed = listed.get(facts.id) is facts or listed.get(facts.id) == facts
            version = _versions.listed(connection, facts.id) if is_listed else _versions.unlisted(connection, facts, at)
        values = (change.position.seq, at, CODES[change.kind], change.provider_id, version, details[body])
        connection.execute(_INSERT, values)


def open_epoch(connection: sqlite3.Connection, name: str, at: datetime) -> None:
    """Begin an epoch with the next change."""
    connection.execute(
        "INSERT INTO epoch (name, first_seq, opened_at) SELECT ?, seq + 1, ? FROM state", (name, micros(at))
    )


def timeline(connection: sqlite3.Connection) -> Timeline:
    """The epochs, oldest first."""
    rows = connection.execute("SELECT name, first_seq FROM epoch ORDER BY id").fetchall()
    return Timeline(tuple(Epoch(name, first_seq) for name, first_seq in rows))


def oldest(connection: sqlite3.Connection) -> Position:
    """The earliest position that can be resumed."""
    (seq,) = connection.execute("SELECT coalesce((SELECT min(seq) FROM change) - 1, seq) FROM state").fetchone()
    epochs = timeline(connection)
    return epochs.at(max(seq, epochs.epochs[0].first_seq - 1))


def page(connection: sqlite3.Connection, after: int, limit: int, wanted: ChangeFilter) -> LogPage:
    """At most `limit` wanted changes after a position.

    A change that is unreadable ends the log there: it goes with all before it, as if it were too old.
    """
    while True:
        try:
            return _page(connection, after, limit, wanted)
        except _Broken as broken:
            _drop(connection, broken.seq)


def _page(connection: sqlite3.Connection, after: int, limit: int, wanted: ChangeFilter) -> LogPage:
    with transaction(connection, "DEFERRED"):
        last, first = connection.execute(
            "SELECT seq, coalesce((SELECT min(seq) FROM change), seq + 1) FROM state"
        ).fetchone()
        if after < first - 1:
            return LogPage(changes=(), end=last, trimmed=True)
        rows = select(connection, after, limit, wanted)
        changes = tuple(_readable(rows, reader(timeline(connection))))
    return LogPage(changes=changes, end=rows[-1][0] if len(rows) == limit else max(after, last), trimmed=False)


def _readable(rows: Iterable[Row], read: Callable[[Row], Change]) -> Iterator[Change]:
    for row in rows:
        try:
            yield read(row)
        except (ValueError, TypeError, LookupError, OverflowError):
            raise _Broken(row[0]) from None


def check(connection: sqlite3.Connection) -> bool:
    """Whether the log ends no later than the state says; else no further change could be added."""
    return connection.execute("SELECT 1 FROM change WHERE seq > (SELECT seq FROM state) LIMIT 1").fetchone() is None


def mend(connection: sqlite3.Connection) -> None:
    """Drop everything up to the last place at which a change, or what it refers to, is missing.

    A filtered page could not show that a change is missing.
    """
    (seq,) = connection.execute(_BROKEN).fetchone()
    if seq is not None:
        _drop(connection, seq)


def _drop(connection: sqlite3.Connection, up_to: int) -> None:
    log.warning("changes_unreadable", up_to=up_to)
    connection.execute("DELETE FROM change WHERE seq <= ?", (up_to,))


def trim(connection: sqlite3.Connection, retention: Retention, now: datetime) -> None:
    """Drop changes off the old end, never from the middle, whatever the clock did."""
    connection.execute(_TRIM, {"length": retention.log_length, "cutoff": micros(now - retention.log_age)})
    connection.execute("DELETE FROM detail WHERE id < coalesce((SELECT min(detail) FROM change), id + 1)")
    connection.execute(_TRIM_EPOCHS, {"most": _MOST_EPOCHS})

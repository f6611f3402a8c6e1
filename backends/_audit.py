"""The audit log in SQLite."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from itertools import islice

from backends._codec import micros, moment
from backends._rows import LARGEST_COUNT, Report, Row, readable, require, require_all, require_text
from backends.retention import Retention
from catalogue.ports.audit import ADDRESS_ACTOR, AUTHENTICATE, KEY_ACTOR, AuditEntry

_AFTER_ALL = 2**63 - 1
_SELECT = "SELECT seq, at, actor, action, target, outcome, count FROM audit"
_UNAUTHENTICATED = ((KEY_ACTOR, False), (ADDRESS_ACTOR, True), (ADDRESS_ACTOR, False))
"""How the actor begins, and whether it is about a token: what anybody can make entries of, each kind kept apart."""


def append(connection: sqlite3.Connection, entries: Iterable[AuditEntry]) -> None:
    """Add entries; each is given the next position."""
    connection.executemany(
        "INSERT INTO audit (at, actor, action, target, outcome, count) VALUES (?, ?, ?, ?, ?, ?)",
        ((micros(e.at), e.actor, e.action, e.target, e.outcome, e.count) for e in entries),
    )


def page(connection: sqlite3.Connection, before: int | None, limit: int, report: Report) -> tuple[AuditEntry, ...]:
    """At most `limit` entries before a position, newest first; one that cannot be read is reported and passed over."""
    rows = connection.execute(f"{_SELECT} WHERE seq < ? ORDER BY seq DESC", (_AFTER_ALL if before is None else before,))
    return tuple(islice(readable("audit", rows, _entry, report), limit))


def check(connection: sqlite3.Connection) -> None:
    """Read every entry, so that one that cannot be read is found when the store is opened."""
    require_all(connection.execute(_SELECT), _entry)


def _entry(row: Row) -> AuditEntry:
    seq, at, actor, action, target, outcome, count = row
    require(seq > 0 and 0 < count <= LARGEST_COUNT)
    require_text(actor, action, target, outcome)
    return AuditEntry(seq=seq, at=moment(at), actor=actor, action=action, target=target, outcome=outcome, count=count)


def trim(connection: sqlite3.Connection, retention: Retention, now: datetime) -> None:
    """Drop entries past their age, and the oldest of strangers where these are too many."""
    connection.execute("DELETE FROM audit WHERE at < ?", (micros(now - retention.audit_age),))
    connection.executemany(
        "DELETE FROM audit WHERE seq IN (SELECT seq FROM audit WHERE actor GLOB ? || '*' AND (action = ?) = ?"
        " ORDER BY seq DESC LIMIT -1 OFFSET ?)",
        ((actor, AUTHENTICATE, about_token, retention.audit_strangers) for actor, about_token in _UNAUTHENTICATED),
    )

"""The audit log in SQLite."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from backends._codec import micros, moment
from backends.retention import Retention
from catalogue.audit import AUTHENTICATE, KEY_ACTOR, STRANGER_ACTOR, AuditEntry

_AFTER_ALL = 2**63 - 1
_OF_STRANGERS = ((KEY_ACTOR, False), (STRANGER_ACTOR, True), (STRANGER_ACTOR, False))
"""How the actor begins, and whether it is about a token: what anybody can make entries of, each kind kept apart."""


def append(connection: sqlite3.Connection, entries: Iterable[AuditEntry]) -> None:
    """Add entries; each is given the next position."""
    connection.executemany(
        "INSERT INTO audit (at, actor, action, target, outcome, count) VALUES (?, ?, ?, ?, ?, ?)",
        ((micros(e.at), e.actor, e.action, e.target, e.outcome, e.count) for e in entries),
    )


def page(connection: sqlite3.Connection, before: int | None, limit: int) -> tuple[AuditEntry, ...]:
    """At most `limit` entries before a position, newest first."""
    rows = connection.execute(
        "SELECT seq, at, actor, action, target, outcome, count FROM audit WHERE seq < ? ORDER BY seq DESC LIMIT ?",
        (_AFTER_ALL if before is None else before, limit),
    )
    return tuple(
        AuditEntry(seq=seq, at=moment(at), actor=actor, action=action, target=target, outcome=outcome, count=count)
        for seq, at, actor, action, target, outcome, count in rows
    )


def trim(connection: sqlite3.Connection, retention: Retention, now: datetime) -> None:
    """Drop entries past their age, and the oldest of strangers where these are too many."""
    connection.execute("DELETE FROM audit WHERE at < ?", (micros(now - retention.audit_age),))
    connection.executemany(
        "DELETE FROM audit WHERE seq IN (SELECT seq FROM audit WHERE actor GLOB ? || '*' AND (action = ?) = ?"
        " ORDER BY seq DESC LIMIT -1 OFFSET ?)",
        ((actor, AUTHENTICATE, about_token, retention.audit_strangers) for actor, about_token in _OF_STRANGERS),
    )

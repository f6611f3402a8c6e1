"""Versions of models' facts in SQLite: each is stored once, and models and changes refer to it.

Moments are given as they are stored, in microseconds since 1970.
"""

import sqlite3
from collections.abc import Collection, Mapping
from datetime import datetime

from backends._codec import maybe_micros, maybe_moment, micros, read_facts, write_facts
from backends.retention import Retention
from catalogue.facts import ModelFacts

Version = tuple[ModelFacts, datetime | None]
"""Facts, and when the model was first seen."""
Row = tuple[str, int | None, str]
"""Of the version table: model id, first_seen, facts."""

_INSERT = "INSERT INTO version (model_id, first_seen, since, until, priced_since, facts) VALUES (?, ?, ?, ?, ?, ?)"
_SUCCEED = """
INSERT INTO version (model_id, first_seen, since, priced_since, facts)
SELECT model_id, :first_seen, :at, CASE WHEN :repriced THEN :at ELSE priced_since END, :facts
FROM version WHERE id = :before
"""
# The last version of a price says from when until when that price held.
_TRIM = """
DELETE FROM version WHERE until IS NOT NULL
    AND id NOT IN (SELECT version FROM change WHERE version IS NOT NULL)
    AND NOT (until >= :tombstones
        AND NOT EXISTS (SELECT 1 FROM version later WHERE later.model_id = version.model_id AND later.id > version.id))
    AND NOT (until >= :prices AND priced_since IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM version later WHERE later.model_id = version.model_id AND later.id > version.id
            AND later.priced_since = version.priced_since))
"""


def add(connection: sqlite3.Connection, facts: ModelFacts, first_seen: datetime | None, at: int) -> int:
    """Store a model's first version, which holds from now on. Returns its number."""
    row = (facts.id, maybe_micros(first_seen), at, None, at, write_facts(facts))
    return connection.execute(_INSERT, row).lastrowid or 0


def succeed(
    connection: sqlite3.Connection,
    before: int,
    facts: ModelFacts,
    first_seen: datetime | None,
    at: int,
    *,
    repriced: bool,
) -> int:
    """Store a version that holds from now on in place of another one. Returns its number."""
    end(connection, before, at)
    values = {
        "before": before,
        "first_seen": maybe_micros(first_seen),
        "at": at,
        "repriced": repriced,
        "facts": write_facts(facts),
    }
    return connection.execute(_SUCCEED, values).lastrowid or 0


def end(connection: sqlite3.Connection, number: int, at: int) -> None:
    """Note that a version holds no longer."""
    connection.execute("UPDATE version SET until = ? WHERE id = ?", (at, number))


def listed(connection: sqlite3.Connection, model_id: str) -> int:
    """The number of a listed model's version."""
    return int(connection.execute("SELECT version FROM model WHERE id = ?", (model_id,)).fetchone()[0])


def unlisted(connection: sqlite3.Connection, facts: ModelFacts, at: int) -> int:
    """The number of a version that only changes refer to, such as a packaged model's. It is added if need be."""
    text = write_facts(facts)
    query = "SELECT id FROM version WHERE model_id = ? AND facts = ?"
    if (found := connection.execute(query, (facts.id, text)).fetchone()) is not None:
        return int(found[0])
    return connection.execute(_INSERT, (facts.id, None, at, at, None, text)).lastrowid or 0


def rows(connection: sqlite3.Connection, numbers: Collection[int]) -> Mapping[int, Row]:
    """The rows of versions by number."""
    marks = ", ".join("?" * len(numbers))
    query = f"SELECT id, model_id, first_seen, facts FROM version WHERE id IN ({marks})"  # noqa: S608 - marks only
    return {number: (id_, seen, text) for number, id_, seen, text in connection.execute(query, tuple(numbers))}


def read(row: Row) -> Version:
    """What a row says. Raises ValueError, TypeError or OverflowError for one that cannot be right."""
    id_, first_seen, text = row
    return read_facts(text, id_), maybe_moment(first_seen)


def trim(connection: sqlite3.Connection, retention: Retention, now: datetime) -> None:
    """Drop versions that no change, tombstone or price history needs any more."""
    connection.execute(
        _TRIM,
        {"prices": micros(now - retention.price_age), "tombstones": micros(now - retention.tombstone_age)},
    )

"""Versions of models' facts in SQLite: each is stored once, and models and changes refer to it.

Moments are given as they are stored, in microseconds since 1970.
"""

import sqlite3
from datetime import datetime

from backends._codec import maybe_micros, micros, write_facts
from backends.retention import Retention
from catalogue.facts import ModelFacts

_ADD = """
INSERT INTO version (model_id, first_seen, since, priced_since, facts) VALUES (
    :model_id, :first_seen, :at, iif(:repriced, :at, (SELECT priced_since FROM version WHERE id = :before)), :facts
)
"""
_ADD_UNLISTED = "INSERT INTO version (model_id, since, until, facts) VALUES (?, ?, ?, ?)"
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


def add(
    connection: sqlite3.Connection,
    facts: ModelFacts,
    first_seen: datetime | None,
    at: int,
    *,
    before: int | None,
    repriced: bool,
) -> int:
    """Store a version that holds from now on, in place of the one before. Returns its number."""
    end(connection, before, at)
    values = {"model_id": facts.id, "first_seen": maybe_micros(first_seen), "at": at, "facts": write_facts(facts)}
    return connection.execute(_ADD, {**values, "before": before, "repriced": repriced}).lastrowid or 0


def end(connection: sqlite3.Connection, number: int | None, at: int) -> None:
    """Note that a version, if there is one, holds no longer."""
    connection.execute("UPDATE version SET until = ? WHERE id = ?", (at, number))


def listed(connection: sqlite3.Connection, model_id: str) -> int | None:
    """The number of a model's version; null for one that is not listed."""
    found = connection.execute("SELECT version FROM model WHERE id = ?", (model_id,)).fetchone()
    return found and int(found[0])


def unlisted(connection: sqlite3.Connection, facts: ModelFacts, at: int) -> int:
    """The number of a version that only changes refer to, such as a packaged model's. It is added if need be."""
    text = write_facts(facts)
    query = "SELECT id FROM version WHERE model_id = ? AND facts = ?"
    if (found := connection.execute(query, (facts.id, text)).fetchone()) is not None:
        return int(found[0])
    return connection.execute(_ADD_UNLISTED, (facts.id, at, at, text)).lastrowid or 0


def trim(connection: sqlite3.Connection, retention: Retention, now: datetime) -> None:
    """Drop versions that no change, tombstone or price history needs any more."""
    ages = {"prices": micros(now - retention.price_age), "tombstones": micros(now - retention.tombstone_age)}
    connection.execute(_TRIM, ages)

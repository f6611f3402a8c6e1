"""The health of providers in SQLite: a row for each one that is served."""

import sqlite3
from collections.abc import Collection, Iterable
from datetime import datetime

from backends._codec import HEALTH, micros, moment, read_health
from catalogue.health import Health

_UPSERT = """
INSERT INTO health (provider_id, published_at, body) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET published_at = excluded.published_at, body = excluded.body
"""
_PUBLISHED = """
INSERT INTO health (provider_id, published_at, body) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET published_at = excluded.published_at
"""

Row = tuple[str, int, str]


def read(connection: sqlite3.Connection) -> tuple[dict[str, Health], dict[str, datetime]]:
    """Every health, and the moment as of which followers know the provider's state, by provider id."""
    rows = connection.execute("SELECT provider_id, published_at, body FROM health").fetchall()
    return {id_: read_health(body, id_) for id_, _, body in rows}, {id_: moment(at) for id_, at, _ in rows}


def write(connection: sqlite3.Connection, health: Health, at: int) -> None:
    """Store a published health, as of a number of microseconds."""
    connection.execute(_UPSERT, _row(health, at))


def published(connection: sqlite3.Connection, provider_ids: Iterable[str], at: int) -> None:
    """Store that followers know these providers as of a moment; a new one has not been asked yet."""
    connection.executemany(_PUBLISHED, (_row(Health(provider_id=id_), at) for id_ in provider_ids))


def confirm(connection: sqlite3.Connection, provider_id: str, at: datetime) -> None:
    """Store that what followers know of a provider still held at a later moment."""
    connection.execute("UPDATE health SET published_at = ? WHERE provider_id = ?", (micros(at), provider_id))


def register(connection: sqlite3.Connection, provider_ids: Collection[str], at: datetime) -> None:
    """Forget all providers but these; those of them that are new have not been asked yet."""
    known = {id_ for (id_,) in connection.execute("SELECT provider_id FROM health")}
    connection.executemany(
        "DELETE FROM health WHERE provider_id = ?", [(id_,) for id_ in known.difference(provider_ids)]
    )
    published(connection, [id_ for id_ in provider_ids if id_ not in known], micros(at))


def _row(health: Health, at: int) -> Row:
    return health.provider_id, at, HEALTH.dump_json(health).decode()

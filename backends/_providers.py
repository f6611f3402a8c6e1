"""The health of providers in SQLite: a row for each one that is served."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from backends._codec import HEALTH, micros, moment, read_health
from catalogue.health import Health

_ADD = "INSERT INTO health (provider_id, published_at, body) VALUES (?, ?, ?) ON CONFLICT DO"


def read(connection: sqlite3.Connection) -> tuple[dict[str, Health], dict[str, datetime]]:
    """Every health, and the moment as of which followers know the provider's state, by provider id."""
    rows = connection.execute("SELECT provider_id, published_at, body FROM health").fetchall()
    return {id_: read_health(body, id_) for id_, _, body in rows}, {id_: moment(at) for id_, at, _ in rows}


def write(connection: sqlite3.Connection, health: Health) -> None:
    """Store the published health of a provider that is served."""
    row = (HEALTH.dump_json(health).decode(), health.provider_id)
    connection.execute("UPDATE health SET body = ? WHERE provider_id = ?", row)


def published(connection: sqlite3.Connection, provider_ids: Iterable[str], at: int) -> None:
    """Store that followers know these providers as of a moment in microseconds; a new one has not been asked yet."""
    connection.executemany(f"{_ADD} UPDATE SET published_at = excluded.published_at", _unasked(provider_ids, at))


def confirm(connection: sqlite3.Connection, provider_id: str, at: datetime) -> None:
    """Store that what followers know of a provider still held at a later moment."""
    connection.execute("UPDATE health SET published_at = ? WHERE provider_id = ?", (micros(at), provider_id))


def register(connection: sqlite3.Connection, provider_ids: Collection[str], at: datetime) -> None:
    """Forget all providers but these; those of them that are new have not been asked yet."""
    served = json.dumps(list(provider_ids))
    connection.execute("DELETE FROM health WHERE provider_id NOT IN (SELECT value FROM json_each(?))", (served,))
    connection.executemany(f"{_ADD} NOTHING", _unasked(provider_ids, micros(at)))


def _unasked(provider_ids: Iterable[str], at: int) -> Iterator[tuple[str, int, str]]:
    return ((id_, at, HEALTH.dump_json(Health(provider_id=id_)).decode()) for id_ in provider_ids)

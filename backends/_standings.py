"""How providers stand, in SQLite: a row for each that is served."""

import sqlite3
from collections.abc import Collection, Iterable
from datetime import datetime

from backends._codec import STANDING, micros, moment, read_standing
from catalogue.health import Standing

_UPSERT = """
INSERT INTO standing (provider_id, told_at, body) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET told_at = excluded.told_at, body = excluded.body
"""
_TOLD = """
INSERT INTO standing (provider_id, told_at, body) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET told_at = excluded.told_at
"""

Row = tuple[str, int, str]


def read(connection: sqlite3.Connection) -> tuple[dict[str, Standing], dict[str, datetime]]:
    """Every standing, and the moment as of which followers know the provider's state, by provider id."""
    rows = connection.execute("SELECT provider_id, told_at, body FROM standing").fetchall()
    return {id_: read_standing(body, id_) for id_, _, body in rows}, {id_: moment(at) for id_, at, _ in rows}


def write(connection: sqlite3.Connection, standing: Standing, at: datetime) -> None:
    """Store a standing that followers are told of."""
    connection.execute(_UPSERT, _row(standing, at))


def tell(connection: sqlite3.Connection, provider_ids: Iterable[str], at: datetime) -> None:
    """Store that followers were told of these providers; one that is new has not been asked yet."""
    connection.executemany(_TOLD, (_row(Standing(provider_id=id_), at) for id_ in provider_ids))


def confirm(connection: sqlite3.Connection, provider_id: str, at: datetime) -> None:
    """Store that what followers know of a provider still held at a later moment."""
    connection.execute("UPDATE standing SET told_at = ? WHERE provider_id = ?", (micros(at), provider_id))


def enrol(connection: sqlite3.Connection, provider_ids: Collection[str], at: datetime) -> None:
    """Forget all providers but these; those of them that are new have not been asked yet."""
    known = {id_ for (id_,) in connection.execute("SELECT provider_id FROM standing")}
    connection.executemany(
        "DELETE FROM standing WHERE provider_id = ?", [(id_,) for id_ in known.difference(provider_ids)]
    )
    tell(connection, [id_ for id_ in provider_ids if id_ not in known], at)


def _row(standing: Standing, at: datetime) -> Row:
    return standing.provider_id, micros(at), STANDING.dump_json(standing).decode()

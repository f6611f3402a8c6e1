"""The tables of the embedded store, and the way from each version to the next."""

import secrets
import sqlite3

from backends._transaction import transaction
from backends.errors import StoreUnreadable

_FIRST = (
    """CREATE TABLE state (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        epoch TEXT NOT NULL, revision INTEGER NOT NULL, seq INTEGER NOT NULL, updated_at INTEGER
    )""",
    """CREATE TABLE listing (
        provider_id TEXT NOT NULL, held INTEGER NOT NULL, source TEXT NOT NULL, as_of INTEGER,
        PRIMARY KEY (provider_id, held)
    ) WITHOUT ROWID""",
    """CREATE TABLE model (
        provider_id TEXT NOT NULL, held INTEGER NOT NULL, id TEXT NOT NULL,
        gone INTEGER NOT NULL, first_seen INTEGER, facts TEXT NOT NULL,
        PRIMARY KEY (provider_id, held, id)
    )""",
    "CREATE TABLE quarantine (provider_id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE change (
        seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, provider_id TEXT, body TEXT NOT NULL
    )""",
    """CREATE TABLE bucket (
        provider_id TEXT NOT NULL, width INTEGER NOT NULL, start INTEGER NOT NULL,
        checks INTEGER NOT NULL, failures INTEGER NOT NULL, timed INTEGER NOT NULL, latency_sum REAL NOT NULL,
        PRIMARY KEY (provider_id, width, start)
    ) WITHOUT ROWID""",
    """CREATE TABLE incident (
        id TEXT PRIMARY KEY, provider_id TEXT NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER,
        code TEXT NOT NULL, message TEXT NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX incident_newest ON incident (provider_id, started_at DESC)",
    """CREATE TABLE audit (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
        target TEXT, outcome TEXT NOT NULL, count INTEGER NOT NULL
    )""",
)

_STEPS: tuple[tuple[str, ...], ...] = (_FIRST,)
"""What leads from version n to n + 1; a file without tables is version 0."""

VERSION = len(_STEPS)
"""The version that this program reads and writes, kept in the file's `user_version`."""


def prepare(connection: sqlite3.Connection) -> None:
    """Bring the tables to this version; StoreUnreadable for a damaged file, another program's or a newer version's."""
    with transaction(connection):
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise StoreUnreadable("was written by a newer version")
        if version == 0 and connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
            raise StoreUnreadable("is not one of this program's")
        for statement in (s for step in _STEPS[version:] for s in step):
            connection.execute(statement)
        if version == 0:
            connection.execute("INSERT INTO state VALUES (1, ?, 0, 0, NULL)", (secrets.token_hex(8),))
        if version < VERSION:
            connection.execute(f"PRAGMA user_version = {VERSION}")

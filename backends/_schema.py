"""The tables of the embedded store, and the way from each version to the next."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing

from backends._connection import transaction
from backends._upgrade import FOURTH, Step
from catalogue.ports.errors import StoreUnreadable

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

_SECOND = (
    "CREATE TABLE standing (provider_id TEXT PRIMARY KEY, told_at INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID",
    "ALTER TABLE quarantine ADD COLUMN discarded INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE bucket ADD COLUMN known INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE bucket ADD COLUMN up INTEGER NOT NULL DEFAULT 0",
)

_THIRD = ("ALTER TABLE state ADD COLUMN list_ttl INTEGER",)

_STEPS: tuple[Sequence[Step], ...] = (_FIRST, _SECOND, _THIRD, FOURTH)
"""What leads from version n to n + 1; a file without tables is version 0."""

VERSION = len(_STEPS)
"""The version that this program reads and writes, kept in the file's `user_version`."""


_CHECKED_WHEN_READ = {"change", "detail", "version"}
"""A log may be long. Each reader of it checks the rows that it reads."""
_FLAGS = {"gone", "discarded"}
_COLUMNS = "SELECT name, type FROM pragma_table_info(?)"
_TABLES = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'"


def prepare(connection: sqlite3.Connection) -> None:
    """Bring the tables to this version; StoreUnreadable for a damaged file, another program's or a newer version's."""
    with transaction(connection):
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise StoreUnreadable("was written by a newer version")
        if version == 0 and connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
            raise StoreUnreadable("is not one of this program's")
        _step(connection, version)
        if version == 0:
            connection.execute("INSERT INTO state (id, revision, seq) VALUES (1, 0, 0)")
        if version < VERSION:
            connection.execute(f"PRAGMA user_version = {VERSION}")
    if 0 < version < VERSION:
        connection.execute("VACUUM")


def check(connection: sqlite3.Connection) -> bool:
    """Whether every table is there as this version makes it, and every value in it is one that its column takes."""
    with closing(sqlite3.connect(":memory:")) as fresh:
        _step(fresh, 0)
        expected = set(fresh.execute(_TABLES))
        columns = {name: fresh.execute(_COLUMNS, (name,)).fetchall() for kind, name, _ in expected if kind == "table"}
    return expected <= set(connection.execute(_TABLES)) and not any(
        connection.execute(f"SELECT 1 FROM {table} WHERE {' OR '.join(_misfits(of))} LIMIT 1").fetchone()  # noqa: S608 - our own words
        for table, of in columns.items()
        if table not in _CHECKED_WHEN_READ
    )


def _misfits(columns: Sequence[tuple[str, str]]) -> Iterator[str]:
    """For each column the condition that a value does not belong there; SQLite itself takes any value in any column."""
    for name, kind in columns:
        yield f"typeof({name}) NOT IN ('{kind.lower()}', 'null')"
        if name in _FLAGS:
            yield f"{name} NOT IN (0, 1)"


def _step(connection: sqlite3.Connection, version: int) -> None:
    for part in (part for step in _STEPS[version:] for part in step):
        if isinstance(part, str):
            connection.execute(part)
        else:
            part(connection)

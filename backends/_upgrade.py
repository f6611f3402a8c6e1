"""The fourth step of the store: each version of a model's facts is stored once, and the log has epochs.

Before, each change held the whole model and each provider's health as JSON, and the log had one epoch for good.
"""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import orjson

from backends._change import CODES
from backends._codec import micros

Step = str | Callable[[sqlite3.Connection], None]
"""A statement, or a function for what SQL alone does not say."""

_TABLES = (
    """CREATE TABLE epoch (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, first_seq INTEGER NOT NULL, opened_at INTEGER NOT NULL
    )""",
    """CREATE TABLE version (
        id INTEGER PRIMARY KEY, model_id TEXT NOT NULL, first_seen INTEGER, since INTEGER NOT NULL, until INTEGER,
        priced_since INTEGER, facts TEXT NOT NULL
    )""",
    "CREATE INDEX version_model ON version (model_id)",
    "CREATE TABLE detail (id INTEGER PRIMARY KEY, body TEXT NOT NULL)",
    "ALTER TABLE model RENAME TO old_model",
    """CREATE TABLE model (
        id TEXT PRIMARY KEY, provider_id TEXT NOT NULL, gone INTEGER NOT NULL, version INTEGER NOT NULL
    )""",
    "ALTER TABLE listing RENAME TO old_listing",
    "CREATE TABLE listing (provider_id TEXT PRIMARY KEY, as_of INTEGER) WITHOUT ROWID",
    "ALTER TABLE change RENAME TO old_change",
    """CREATE TABLE change (
        seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind INTEGER NOT NULL, provider_id TEXT, version INTEGER,
        detail INTEGER NOT NULL
    )""",
    f"CREATE INDEX change_kind ON change (kind) WHERE kind <> {CODES['STATUS_CHANGED']}",
    "CREATE INDEX change_provider ON change (provider_id, kind)",
    f"CREATE INDEX change_version ON change (version) WHERE kind <> {CODES['STATUS_CHANGED']}",
    "ALTER TABLE quarantine RENAME TO old_quarantine",
    """CREATE TABLE quarantine (
        provider_id TEXT PRIMARY KEY, body TEXT NOT NULL, discarded INTEGER NOT NULL, as_of INTEGER NOT NULL,
        listing TEXT NOT NULL
    ) WITHOUT ROWID""",
    "ALTER TABLE standing RENAME TO old_standing",
    """CREATE TABLE health (
        provider_id TEXT PRIMARY KEY, published_at INTEGER NOT NULL, body TEXT NOT NULL
    ) WITHOUT ROWID""",
    "INSERT INTO epoch (name, first_seq, opened_at) SELECT epoch, 1, coalesce(updated_at, 0) FROM state",
    "ALTER TABLE state DROP COLUMN epoch",
    "INSERT INTO listing SELECT provider_id, as_of FROM old_listing WHERE NOT held AND source <> 'baseline'",
)
_MALFORMED = (LookupError, TypeError, AttributeError)
"""Raised by JSON that is not of the expected form."""
_IN_ROW = {"seq", "at", "provider_id", "kind"}
_DROPPED = tuple(f"DROP TABLE old_{name}" for name in ("model", "listing", "change", "quarantine", "standing"))


_REFERENCE = "SELECT provider_id, coalesce(as_of, 0) FROM old_listing WHERE NOT held AND source <> 'baseline'"
_FIRST_SEEN = "SELECT provider_id, min(first_seen) FROM old_model WHERE NOT held GROUP BY provider_id"
_UNLISTED = """
UPDATE version SET until = since, priced_since = NULL WHERE until IS NULL AND id NOT IN (SELECT version FROM model)
"""


def _convert(connection: sqlite3.Connection) -> None:
    versions = _Versions(connection)
    try:
        _changes(connection, versions)
        _models(connection, versions)
        connection.execute(_UNLISTED)
        _quarantine(connection)
        _health(connection)
    except _MALFORMED as error:
        raise ValueError("a value that cannot be right") from error


class _Versions:
    """The versions of models' facts, as the log and then the listings name them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._first = dict(connection.execute(_FIRST_SEEN).fetchall())
        self._last: dict[str, tuple[int, str, object, int]] = {}
        """By model id: number, facts, price, and since when that price holds."""

    def of(self, stated: dict[str, Any], first_seen: int | None, at: int) -> int:
        """The number of the version of these facts at a moment; another one than before ends that one."""
        kept, id_, priced_since = _facts(stated), stated["id"], at
        facts, price = orjson.dumps(kept).decode(), kept.get("price")
        if id_ in self._last:
            number, known, known_price, since = self._last[id_]
            if known == facts:
                return number
            priced_since = since if known_price == price else at
            self.end(id_, at)
        first_seen = None if first_seen == self._first.get(stated["provider_id"]) else first_seen
        row = (id_, first_seen, at, priced_since, facts)
        insert = "INSERT INTO version (model_id, first_seen, since, priced_since, facts) VALUES (?, ?, ?, ?, ?)"
        number = self._connection.execute(insert, row).lastrowid or 0
        self._last[id_] = number, facts, price, priced_since
        return number

    def end(self, id_: str, at: int) -> None:
        """Note that a model's version holds no longer."""
        number, *_ = self._last.pop(id_)
        self._connection.execute("UPDATE version SET until = ? WHERE id = ?", (at, number))


def _models(connection: sqlite3.Connection, versions: _Versions) -> None:
    for provider_id, as_of in connection.execute(_REFERENCE).fetchall():
        rows = connection.execute(
            "SELECT id, gone, first_seen, facts FROM old_model WHERE NOT held AND provider_id = ? ORDER BY rowid",
            (provider_id,),
        ).fetchall()
        for id_, gone, first_seen, facts in rows:
            version = versions.of(orjson.loads(facts), first_seen, as_of)
            connection.execute("INSERT INTO model VALUES (?, ?, ?, ?)", (id_, provider_id, gone, version))


def _facts(stated: dict[str, Any]) -> dict[str, Any]:
    """Facts as they are written now: without defaults, and in one order.

    The family was a fact. As a hint it leads to itself until the next list brings the provider's own hints.
    """
    kept: dict[str, Any] = _without_defaults(stated)
    if (family := kept.pop("family", None)) is not None:
        kept["canonical_name"] = family
    for name in {"capabilities", "lacking"} & kept.keys():
        kept[name] = sorted(kept[name])
    return kept


def _without_defaults(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_defaults(item) for item in value]
    if isinstance(value, dict):
        return {name: _without_defaults(held) for name, held in value.items() if not _is_default(name, held)}
    return value


def _is_default(name: str, held: object) -> bool:
    return held is None or held == [] or (name == "deprecated" and held is False) or (name, held) == ("currency", "USD")


def _quarantine(connection: sqlite3.Connection) -> None:
    first = dict(connection.execute(_FIRST_SEEN).fetchall())
    rows = connection.execute(
        "SELECT q.provider_id, body, discarded, coalesce(as_of, 0) FROM old_quarantine q"
        " JOIN old_listing l ON l.provider_id = q.provider_id AND l.held"
    ).fetchall()
    for provider_id, body, discarded, as_of in rows:
        models = connection.execute(
            "SELECT id, gone, first_seen, facts FROM old_model WHERE held AND provider_id = ? ORDER BY rowid",
            (provider_id,),
        ).fetchall()
        listing = {
            "models": [_facts(orjson.loads(facts)) for *_, facts in models],
            "gone": [id_ for id_, gone, *_ in models if gone],
            "first_seen": {id_: seen for id_, _, seen, _ in models if seen not in {None, first.get(provider_id)}},
        }
        connection.execute(
            "INSERT INTO quarantine VALUES (?, ?, ?, ?, ?)",
            (provider_id, body, discarded, as_of, orjson.dumps(listing).decode()),
        )


def _health(connection: sqlite3.Connection) -> None:
    for provider_id, at, body in connection.execute("SELECT * FROM old_standing").fetchall():
        text = orjson.dumps(_with_problems(orjson.loads(body))).decode()
        connection.execute("INSERT INTO health VALUES (?, ?, ?)", (provider_id, at, text))


def _with_problems(standing: dict[str, Any]) -> dict[str, Any]:
    error = standing.pop("error", None)
    return {**standing, "problems": {"call": error}}


def _changes(connection: sqlite3.Connection, versions: _Versions) -> None:
    """Take each change apart. Equal details of a moment are stored once.

    A broken change is left out. Opening the store ends the log at the gap.
    """
    details: dict[str, int] = {}
    moment = moved = None
    for seq, at, kind, provider_id, body in _batched(connection):
        try:
            change = orjson.loads(body)
            row = seq, at, CODES[kind], provider_id, _version(change, at, versions)
            if kind == "PROVIDER_HEALTH_CHANGED":
                moved = provider_id, at
            detail = _detail(change, of_health=moved == (provider_id, at))
        except (ValueError, *_MALFORMED):
            continue
        if at != moment:
            moment, details = at, {}
        if detail not in details:
            details[detail] = connection.execute("INSERT INTO detail (body) VALUES (?)", (detail,)).lastrowid or 0
        connection.execute("INSERT INTO change VALUES (?, ?, ?, ?, ?, ?)", (*row, details[detail]))


def _version(change: dict[str, Any], at: int, versions: _Versions) -> int | None:
    """Take the facts out of a change, and give the number of their version."""
    if (model := change.get("model")) is None:
        return None
    stated, first_seen = model.pop("facts"), model.pop("first_seen_at")
    is_reference = model["source"] != "baseline"
    number = versions.of(stated, micros(datetime.fromisoformat(first_seen)) if is_reference else None, at)
    if change["kind"] == "MODEL_REMOVED":
        versions.end(stated["id"], at)
    return number


def _detail(change: dict[str, Any], *, of_health: bool) -> str:
    """Everything that an old change says apart from its row and its model's facts."""
    if change["kind"] == "STATUS_CHANGED":
        change["cause"] = _cause(change, of_health=of_health)
    if "standing" in change:
        change["health"] = _with_problems(change.pop("standing"))
    return orjson.dumps({name: change[name] for name in change.keys() - _IN_ROW}, option=orjson.OPT_SORT_KEYS).decode()


def _batched(connection: sqlite3.Connection) -> Iterator[tuple[int, int, str, str | None, str]]:
    """All old changes, a thousand at a time: the whole log may be larger than memory."""
    last = 0
    while rows := connection.execute(
        "SELECT seq, at, kind, provider_id, body FROM old_change WHERE seq > ? ORDER BY seq LIMIT 1000", (last,)
    ).fetchall():
        yield from rows
        last = rows[-1][0]


def _cause(change: dict[str, Any], *, of_health: bool) -> str:
    """The cause of an old change of a status: a change of its provider's health at the same moment comes first."""
    statuses = {change["before"], change["after"]}
    if "unavailable" in statuses:
        return "health" if of_health else "list"
    if "deprecated" in statuses:
        return "ending"
    return "health" if of_health else "age"


FOURTH: tuple[Step, ...] = (*_TABLES, _convert, *_DROPPED)

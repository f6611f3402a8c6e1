"""The fourth step of the store: each version of a model's facts is stored once, and the log has epochs.

Before, each change held the whole model and each provider's health as JSON, and the log had one epoch for good.
"""

import sqlite3
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

import orjson

from backends._change import CODES
from backends._codec import micros, write_facts
from catalogue.facts import ModelFacts

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
_FIRST_SEEN = """CREATE TEMP TABLE first AS
    SELECT provider_id, min(first_seen) AS seen FROM old_model WHERE NOT held GROUP BY provider_id"""

# A change of a status is caused by its provider's health if that changed at the same moment.
# A change that cannot be read, even as text, is left out. Opening the store ends the log at the gap.
_TAKEN = """CREATE TEMP TABLE taken AS
    SELECT seq, at, code(kind) AS kind, provider_id, facts, json_extract(facts, '$.id') AS model_id,
        CASE WHEN source <> 'baseline' THEN micros(json_extract(body, '$.model.first_seen_at')) END AS first_seen,
        CASE kind
        WHEN 'STATUS_CHANGED' THEN json_set(own, '$.cause', CASE
            WHEN 'unavailable' IN (before, after) THEN iif(of_health, 'health', 'list')
            WHEN 'deprecated' IN (before, after) THEN 'ending'
            ELSE iif(of_health, 'health', 'age') END)
        WHEN 'PROVIDER_HEALTH_CHANGED' THEN json_set(json_remove(own, '$.standing'), '$.health', json_set(
            json_extract(own, '$.standing'), '$.problems', json_object('call', json_extract(body, '$.standing.error'))))
        ELSE own END AS detail
    FROM (
        SELECT *, facts_now(CAST(json_extract(body, '$.model.facts') AS BLOB)) AS facts,
            json_extract(body, '$.model.source') AS source,
            json_extract(body, '$.before') AS before, json_extract(body, '$.after') AS after,
            (provider_id, at) IN (
                SELECT provider_id, at FROM old_change WHERE kind = 'PROVIDER_HEALTH_CHANGED') AS of_health,
            json_remove(body, '$.seq', '$.at', '$.provider_id', '$.kind', '$.standing.error',
                '$.model.facts', '$.model.first_seen_at') AS own
        FROM old_change WHERE json_valid(body)
    )
    WHERE code(kind) AND (facts IS NOT NULL OR json_extract(body, '$.model') IS NULL)"""

# Facts as the log and then the listings state them, null once a model is removed. A version is a run of equal facts,
# numbered by the first statement.
_VERSIONS = """WITH
    stated AS (
        SELECT seq AS n, at, provider_id, model_id, first_seen, facts FROM taken WHERE facts IS NOT NULL
        UNION ALL SELECT seq, at, provider_id, model_id, NULL, NULL FROM taken WHERE kind = code('MODEL_REMOVED')
        UNION ALL SELECT seq + old_model.rowid, coalesce(as_of, 0), provider_id, old_model.id, first_seen,
            facts_now(facts) FROM state, old_model JOIN listing USING (provider_id) WHERE NOT held
    ),
    compared AS (
        SELECT *, facts IS NOT lag(facts) OVER model AS begins FROM stated
        WINDOW model AS (PARTITION BY model_id ORDER BY n, facts IS NULL)
    ),
    runs AS (
        SELECT *, lead(at) OVER model AS until, lag(facts) OVER model IS NULL
            OR json_extract(facts, '$.price') IS NOT lag(json_extract(facts, '$.price')) OVER model AS repriced
        FROM compared WHERE begins WINDOW model AS (PARTITION BY model_id ORDER BY n, facts IS NULL)
    ),
    priced AS (SELECT *, sum(repriced) OVER (PARTITION BY model_id ORDER BY n, facts IS NULL) AS price FROM runs)
INSERT INTO version SELECT n, model_id, nullif(first_seen, seen), at, until,
    first_value(at) OVER (PARTITION BY model_id, price ORDER BY n), facts
FROM priced LEFT JOIN first USING (provider_id) WHERE facts IS NOT NULL"""

_CONTENTS = (
    _FIRST_SEEN,
    _TAKEN,
    _VERSIONS,
    # Equal details of a moment are stored once, under the number of the first change that has them.
    """INSERT INTO change SELECT seq, at, kind, provider_id,
        (SELECT max(id) FROM version WHERE version.model_id = taken.model_id AND id <= seq),
        min(seq) OVER (PARTITION BY at, detail) FROM taken""",
    "INSERT INTO detail SELECT seq, detail FROM taken WHERE seq IN (SELECT detail FROM change)",
    """INSERT INTO model SELECT id, provider_id, gone,
        (SELECT max(id) FROM version WHERE model_id = old.id AND facts = facts_now(old.facts))
    FROM old_model old JOIN listing USING (provider_id) WHERE NOT held ORDER BY old.rowid""",
    """UPDATE version SET until = since, priced_since = NULL
    WHERE until IS NULL AND id NOT IN (SELECT version FROM model)""",
    """INSERT INTO quarantine SELECT provider_id, body, discarded, coalesce(as_of, 0), (
        SELECT json_object('models', json_group_array(json(facts_now(facts))),
            'gone', json_group_array(id) FILTER (WHERE gone),
            'first_seen', json_group_object(id, first_seen) FILTER (WHERE nullif(first_seen, seen) IS NOT NULL))
        FROM (SELECT * FROM old_model WHERE held AND provider_id = old_quarantine.provider_id ORDER BY rowid)
        LEFT JOIN first USING (provider_id))
    FROM old_quarantine JOIN old_listing USING (provider_id) WHERE held""",
    """INSERT INTO health SELECT provider_id, told_at, json_set(json_remove(body, '$.error'),
        '$.problems', json_object('call', json_extract(body, '$.error'))) FROM old_standing""",
)
_DROPPED = tuple(
    f"DROP TABLE {name}"
    for name in ("first", "taken", "old_model", "old_listing", "old_change", "old_quarantine", "old_standing")
)


def _functions(connection: sqlite3.Connection) -> None:
    connection.create_function("code", 1, CODES.get)
    connection.create_function("micros", 1, _micros)
    connection.create_function("facts_now", 1, _facts_now)


def _micros(text: str | None) -> int | None:
    try:
        return micros(datetime.fromisoformat(text or ""))
    except ValueError:
        return None


@lru_cache(maxsize=20_000)
def _facts_now(text: str | bytes | None) -> str | None:
    """Facts as they are written now; null for what cannot be read.

    The family was a fact. As a hint it leads to itself until the next list brings the provider's own hints.
    """
    try:
        stated = orjson.loads(text or "")
        if (family := stated.pop("family", None)) is not None:
            stated["canonical_name"] = family
        return write_facts(ModelFacts.model_validate(stated))
    except (ValueError, TypeError, AttributeError):
        return None


def _forget(_: sqlite3.Connection) -> None:
    _facts_now.cache_clear()


FOURTH: tuple[Step, ...] = (*_TABLES, _functions, *_CONTENTS, *_DROPPED, _forget)

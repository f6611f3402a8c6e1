"""A filter on changes as a query that SQLite answers from its indexes."""

import sqlite3
from collections.abc import Collection, Iterable, Sequence

from backends._change import CODES, Row
from catalogue.change import ChangeFilter

_COLUMNS = "SELECT seq, at, kind, provider_id, version, detail FROM change"
_WHOLE = """
SELECT seq, at, kind, provider_id, version, body, model_id, first_seen, facts
FROM ({}) page LEFT JOIN detail ON detail.id = detail LEFT JOIN version ON version.id = version ORDER BY seq
"""
_RESYNC, _STATUS = CODES["RESYNC"], CODES["STATUS_CHANGED"]

_MOST_PROVIDERS = 40
"""SQLite takes 500 parts of a query. Eight kinds of more providers would exceed that."""

Query = tuple[str, dict[str, object]]


def select(connection: sqlite3.Connection, after: int, limit: int, wanted: ChangeFilter) -> list[Row]:
    """The first rows after a position that pass a filter, in order."""
    query, values = query_of(wanted)
    return connection.execute(_WHOLE.format(query), {**values, "after": after, "limit": limit}).fetchall()


def query_of(wanted: ChangeFilter) -> Query:
    """The query for a filter, and its values except for `after` and `limit`.

    It is a union of runs, each in order by its index, which SQLite merges up to the limit.
    """
    owners = {id_.partition("/")[0] for id_ in wanted.models}
    providers = _named("p", owners & (wanted.providers or owners) if owners else wanted.providers)
    kinds = sorted(CODES[kind] for kind in wanted.kinds or CODES if kind != "RESYNC")
    if wanted.models:
        models = _named("m", wanted.models)
        runs, values = (_of_models(models, providers, kinds) if providers else []), {**models, **providers}
    elif wanted.providers or wanted.kinds:
        runs, values = [f"{_kind(kind)}{of}" for of in _of(providers) or [""] for kind in kinds], providers
    else:
        return f"{_COLUMNS} WHERE seq > :after ORDER BY seq LIMIT :limit", {}
    runs = [_kind(_RESYNC), *runs]
    union = " UNION ALL ".join(f"{_COLUMNS} WHERE {run} AND seq > :after" for run in runs)
    return f"{union} ORDER BY seq LIMIT :limit", {**values}


def _kind(kind: int) -> str:
    """A condition that the index of kinds answers; status changes, the bulk of a log, are left out of that index."""
    return f"kind = {kind}" if kind == _STATUS else f"kind <> {_STATUS} AND kind = {kind}"


def _of_models(models: Collection[str], providers: Collection[str], kinds: Sequence[int]) -> list[str]:
    """The few changes of some models are found by their versions.

    Status changes are not in that index, because an outage would write to all of it. They are searched among those of
    the provider.
    """
    version = f"version IN (SELECT id FROM version WHERE model_id IN ({_marks(models)}))"  # noqa: S608 - marks only
    others = ", ".join(str(kind) for kind in kinds if kind != _STATUS)
    runs = [f"kind = {_STATUS}{of} AND +{version}" for of in _of(providers) if _STATUS in kinds]
    owned = f"+provider_id IN ({_marks(providers)})"
    return [*runs, f"kind <> {_STATUS} AND +kind IN ({others}) AND {owned} AND {version}"] if others else runs


def _of(providers: Collection[str]) -> list[str]:
    if len(providers) > _MOST_PROVIDERS:
        return [f" AND provider_id IN ({_marks(providers)})"]
    return [f" AND provider_id = :{name}" for name in providers]


def _named(prefix: str, ids: Iterable[str]) -> dict[str, str]:
    return {f"{prefix}{number}": id_ for number, id_ in enumerate(sorted(ids))}


def _marks(names: Iterable[str]) -> str:
    return ", ".join(f":{name}" for name in names)

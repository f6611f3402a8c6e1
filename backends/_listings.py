"""Listings in SQLite: a row per model, which refers to a version of its facts. Only rows that differ are written."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from types import MappingProxyType

from backends import _versions
from backends._codec import maybe_micros, maybe_moment, micros, read_facts
from backends._rows import require, require_all, require_provider
from catalogue.facts import ModelFacts
from catalogue.listing import Listing
from catalogue.ports.revisions import StoredListing

_UPSERT_LISTING = """
INSERT INTO listing (provider_id, as_of) VALUES (?, ?) ON CONFLICT DO UPDATE SET as_of = excluded.as_of
"""
_UPSERT_MODEL = """
INSERT INTO model (id, provider_id, gone, version) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET gone = excluded.gone, version = excluded.version
"""
_SELECT = """
SELECT model.provider_id, model.id, gone, first_seen, facts
FROM model LEFT JOIN version ON version.id = model.version ORDER BY model.rowid
"""


def read(connection: sqlite3.Connection) -> dict[str, StoredListing]:
    """Every listing by provider id, its models in the order in which they were first stored.

    Raises:
        ValueError: A row cannot be right: a model without a listing, or facts of another model or provider.
    """
    heads = dict(connection.execute("SELECT provider_id, as_of FROM listing").fetchall())
    require_all(heads, require_provider)
    models: dict[str, dict[str, ModelFacts]] = {provider_id: {} for provider_id in heads}
    gone: dict[str, set[str]] = {provider_id: set() for provider_id in heads}
    seen: dict[str, dict[str, datetime]] = {provider_id: {} for provider_id in heads}
    for provider_id, id_, is_gone, first_seen, text in connection.execute(_SELECT):
        require(provider_id in heads and id_.startswith(f"{provider_id}/") and text is not None)
        models[provider_id][id_] = facts = read_facts(text, id_)
        require(facts.provider_id == provider_id)
        if is_gone:
            gone[provider_id].add(id_)
        if (at := maybe_moment(first_seen)) is not None:
            seen[provider_id][id_] = at
    return {
        provider_id: StoredListing(
            listing=Listing(
                provider_id=provider_id,
                models=MappingProxyType(models[provider_id]),
                gone=frozenset(gone[provider_id]),
                first_seen=MappingProxyType(seen[provider_id]),
                is_reference=True,
            ),
            as_of=maybe_moment(as_of),
        )
        for provider_id, as_of in heads.items()
    }


def write(connection: sqlite3.Connection, before: Listing | None, after: StoredListing, at: int) -> None:
    """Bring the rows of a listing from `before`, which is what is stored, to `after`; `at` is in microseconds."""
    new, old = after.listing, before or Listing(provider_id=after.listing.provider_id)
    connection.execute(_UPSERT_LISTING, (new.provider_id, maybe_micros(after.as_of)))
    connection.executemany(_UPSERT_MODEL, _changed(connection, old, new, at))


def drop_removed(connection: sqlite3.Connection, before: Listing | None, after: Listing, at: int) -> None:
    """Remove the models that a listing no longer has; after its changes, which refer to their versions, are stored."""
    for id_ in before.models if before else ():
        if id_ not in after.models:
            _versions.end(connection, _versions.listed(connection, id_), at)
            connection.execute("DELETE FROM model WHERE id = ?", (id_,))


def confirm(connection: sqlite3.Connection, provider_id: str, as_of: datetime) -> None:
    """Move a listing to a later moment at which the provider gave the same."""
    connection.execute("UPDATE listing SET as_of = ? WHERE provider_id = ?", (micros(as_of), provider_id))


def _changed(
    connection: sqlite3.Connection, before: Listing, after: Listing, at: int
) -> Iterator[tuple[str, str, bool, int]]:
    """The rows that differ. An unchanged record is the same object in both listings."""
    for id_, facts in after.models.items():
        known, gone, seen = before.models.get(id_), id_ in after.gone, after.first_seen.get(id_)
        if known is None:
            version = _versions.add(connection, facts, seen, at)
        elif known is facts and gone == (id_ in before.gone):
            continue
        else:
            version = _versions.listed(connection, id_)
            if known is not facts:
                repriced = known.price != facts.price
                version = _versions.succeed(connection, version, facts, seen, at, repriced=repriced)
        yield id_, after.provider_id, gone, version

"""Listings in SQLite: a row per model, which refers to a version of its facts. Only rows that differ are written."""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime

from backends import _versions
from backends._codec import listing_of, maybe_micros, maybe_moment, micros, read_facts
from backends._rows import Row, require, require_provider
from catalogue.listing import Listing
from catalogue.ports.revisions import StoredListing

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
    rows: dict[str, list[Row]] = {provider_id: [] for provider_id in heads}
    for provider_id, *row in connection.execute(_SELECT):
        require(provider_id in heads)
        rows[provider_id].append(tuple(row))
    return {
        provider_id: StoredListing(listing=_listing(provider_id, rows[provider_id]), as_of=maybe_moment(as_of))
        for provider_id, as_of in heads.items()
    }


def _listing(provider_id: str, rows: Sequence[Row]) -> Listing:
    require_provider(provider_id)
    models = [read_facts(text, id_) for id_, *_, text in rows]
    gone = (id_ for id_, is_gone, *_ in rows if is_gone)
    return listing_of(provider_id, models, gone, {id_: at for id_, _, at, _ in rows if at is not None})


def write(connection: sqlite3.Connection, before: Listing | None, after: StoredListing, at: int) -> None:
    """Bring the rows of a listing from `before`, which is what is stored, to `after`; `at` is in microseconds."""
    new, old = after.listing, before or Listing(provider_id=after.listing.provider_id)
    connection.execute(
        "REPLACE INTO listing (provider_id, as_of) VALUES (?, ?)", (new.provider_id, maybe_micros(after.as_of))
    )
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
) -> Iterator[tuple[str, str, bool, int | None]]:
    """The rows that differ. An unchanged record is the same object in both listings."""
    for id_, facts in after.models.items():
        known, gone = before.models.get(id_), id_ in after.gone
        if known is facts and gone == (id_ in before.gone):
            continue
        version = _versions.listed(connection, id_)
        if known is not facts:
            seen, repriced = after.first_seen.get(id_), known is None or known.price != facts.price
            version = _versions.add(connection, facts, seen, at, before=version, repriced=repriced)
        yield id_, after.provider_id, gone, version

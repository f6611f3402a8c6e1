"""Listings in SQLite: a row per model, of which only the changed ones are written."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from types import MappingProxyType

from backends._codec import maybe_micros, maybe_moment, micros, moment, read_facts, write_facts
from backends._rows import require, require_all, require_provider
from catalogue.facts import ModelFacts
from catalogue.listing import Listing
from catalogue.vocabulary import DataSource

_UPSERT_LISTING = """
INSERT INTO listing (provider_id, held, source, as_of) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET source = excluded.source, as_of = excluded.as_of
"""
_UPSERT_MODEL = """
INSERT INTO model (provider_id, held, id, gone, first_seen, facts) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET gone = excluded.gone, first_seen = excluded.first_seen, facts = excluded.facts
"""

Row = tuple[str, bool, str, bool, int | None, str]


def read(connection: sqlite3.Connection, *, held: bool) -> dict[str, Listing]:
    """Every served, or every held-back, listing by provider id; models in the order in which they were first stored.

    Raises:
        ValueError: A row cannot be right: a model of no listing, or facts of another model or provider.
    """
    models: dict[str, dict[str, ModelFacts]] = {}
    gone: dict[str, set[str]] = {}
    seen: dict[str, dict[str, datetime]] = {}
    rows = connection.execute(
        "SELECT provider_id, id, gone, first_seen, facts FROM model WHERE held = ? ORDER BY rowid", (held,)
    )
    for provider_id, id_, is_gone, first_seen, text in rows:
        facts = read_facts(text, id_)
        require(facts.provider_id == provider_id and id_.startswith(f"{provider_id}/"))
        models.setdefault(provider_id, {})[id_] = facts
        if is_gone:
            gone.setdefault(provider_id, set()).add(id_)
        if first_seen is not None:
            seen.setdefault(provider_id, {})[id_] = moment(first_seen)
    heads = connection.execute("SELECT provider_id, source, as_of FROM listing WHERE held = ?", (held,)).fetchall()
    providers = {provider_id for provider_id, *_ in heads}
    require(models.keys() <= providers)
    require_all(providers, require_provider)
    return {
        provider_id: Listing(
            provider_id=provider_id,
            models=MappingProxyType(models.get(provider_id, {})),
            gone=frozenset(gone.get(provider_id, ())),
            first_seen=MappingProxyType(seen.get(provider_id, {})),
            source=DataSource(source),
            as_of=maybe_moment(as_of),
        )
        for provider_id, source, as_of in heads
    }


def write(connection: sqlite3.Connection, before: Listing | None, after: Listing, *, held: bool) -> None:
    """Bring the rows of a listing from `before`, which is known to be stored, to `after`; None replaces all rows."""
    if before is None:
        delete(connection, after.provider_id, held=held)
        before = Listing(provider_id=after.provider_id)
    connection.execute(_UPSERT_LISTING, (after.provider_id, held, after.source.value, maybe_micros(after.as_of)))
    connection.executemany(_UPSERT_MODEL, _changed(before, after, held=held))
    connection.executemany(
        "DELETE FROM model WHERE provider_id = ? AND held = ? AND id = ?",
        [(after.provider_id, held, id_) for id_ in before.models if id_ not in after.models],
    )


def delete(connection: sqlite3.Connection, provider_id: str, *, held: bool) -> None:
    """Remove a listing."""
    connection.execute("DELETE FROM model WHERE provider_id = ? AND held = ?", (provider_id, held))
    connection.execute("DELETE FROM listing WHERE provider_id = ? AND held = ?", (provider_id, held))


def confirm(connection: sqlite3.Connection, provider_id: str, as_of: datetime) -> None:
    """Move a served listing to a later moment at which the provider said the same."""
    connection.execute(
        "UPDATE listing SET source = ?, as_of = ? WHERE provider_id = ? AND held = 0",
        (DataSource.LIVE.value, micros(as_of), provider_id),
    )


def _changed(before: Listing, after: Listing, *, held: bool) -> Iterator[Row]:
    """The rows that differ; an unchanged record is the same object in both listings."""
    for id_, facts in after.models.items():
        gone, seen = id_ in after.gone, after.first_seen.get(id_)
        unchanged = (
            before.models.get(id_) is facts and (id_ in before.gone) == gone and before.first_seen.get(id_) == seen
        )
        if not unchanged:
            yield after.provider_id, held, id_, gone, maybe_micros(seen), write_facts(facts)

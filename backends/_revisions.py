"""The catalogue's state in SQLite: what a server starts from, and each revision that moves it on."""

import re
import sqlite3
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from backends import _listings, _log, _providers
from backends._codec import MICROSECOND, QUARANTINE, maybe_moment, micros, moment, read_listing, write_listing
from backends._connection import transaction
from backends._rows import LARGEST_COUNT, require
from catalogue.facts import ModelFacts
from catalogue.listing import Listing
from catalogue.ports.errors import StoreConflict
from catalogue.ports.revisions import Commit, Held, Stored

_HELD = "provider_id, body, discarded, as_of, listing"
_EPOCH = re.compile("[0-9a-f]{16}")
_LONGEST_LOG = 10**15
"""No log has as many changes; a cursor has room for a thousand times as many."""


def read(connection: sqlite3.Connection) -> Stored:
    """Everything that a server starts from, as of one moment."""
    with transaction(connection, "DEFERRED"):
        ((revision, seq, updated_at, list_ttl),) = connection.execute(
            "SELECT revision, seq, updated_at, list_ttl FROM state"
        )
        timeline, listings, held = _log.timeline(connection), _listings.read(connection), _held(connection)
        healths, published = _providers.read(connection)
    require(0 <= revision <= LARGEST_COUNT and 0 <= seq <= _LONGEST_LOG)
    require(bool(timeline.epochs) or revision == 0)
    require(all(_EPOCH.fullmatch(epoch.name) and 0 < epoch.first_seq <= seq + 1 for epoch in timeline.epochs))
    return Stored(
        timeline=timeline,
        revision=revision,
        seq=seq,
        updated_at=maybe_moment(updated_at),
        listings=listings,
        held=held,
        healths=healths,
        published=published,
        list_ttl=None if list_ttl is None else list_ttl * MICROSECOND,
    )


def _held(connection: sqlite3.Connection) -> dict[str, Held]:
    """Held-back and discarded lists by provider id."""
    held = {}
    for id_, body, discarded, as_of, listing in connection.execute(f"SELECT {_HELD} FROM quarantine"):  # noqa: S608 - our own words
        quarantine = QUARANTINE.validate_json(body)
        require(quarantine.provider_id == id_)
        held[id_] = Held(quarantine, read_listing(listing, id_), moment(as_of), discarded=bool(discarded))
    return held


def commit(connection: sqlite3.Connection, revision: Commit, written: Mapping[str, Listing]) -> None:
    """Write a revision whole; `written` are the stored listings. Raises StoreConflict unless it follows the stored one.

    Where it raises, the caller rolls back.
    """
    stored, seq = connection.execute("SELECT revision, seq FROM state").fetchone()
    expected = range(seq + 1, seq + 1 + len(revision.changes))
    if revision.follows != stored or [c.position.seq for c in revision.changes] != list(expected):
        raise StoreConflict("The store has moved on: another server writes to the same CATALOGUE_DATA_DIR.")
    if revision.opens is not None:
        _log.open_epoch(connection, revision.opens, revision.at)
    after, at = revision.listing, micros(revision.at)
    before = written.get(after.listing.provider_id) if after else None
    if after is not None:
        _listings.write(connection, before, after, at)
    if revision.confirmed is not None:
        _listings.confirm(connection, *revision.confirmed)
    _log.append(connection, revision.changes, _listed(revision, written))
    if after is not None:
        _listings.drop_removed(connection, before, after.listing, at)
    _providers.published(connection, _concerned(revision), at)
    if revision.health is not None:
        _providers.write(connection, revision.health)
    connection.execute(
        "UPDATE state SET revision = ?, seq = ?, updated_at = ?",
        (revision.revision, seq + len(revision.changes), at),
    )


def _listed(revision: Commit, written: Mapping[str, Listing]) -> dict[str, ModelFacts]:
    """What is stored of the models that changes may speak of, those that the revision removes included."""
    listed: dict[str, ModelFacts] = {}
    for id_ in _concerned(revision) & written.keys():
        listed |= written[id_].models
    return listed | dict(revision.listing.listing.models) if revision.listing else listed


def _concerned(revision: Commit) -> set[str]:
    """The providers whose state followers know as of this revision."""
    concerned = {change.provider_id for change in revision.changes}
    concerned |= {revision.listing.listing.provider_id} if revision.listing else set()
    concerned |= {revision.confirmed[0]} if revision.confirmed else set()
    concerned |= {revision.health.provider_id} if revision.health else set()
    return {id_ for id_ in concerned if id_ is not None}


def confirm(connection: sqlite3.Connection, provider_id: str, as_of: datetime) -> None:
    """Move a listing, and what followers know of its provider, to a later moment at which both still held."""
    _listings.confirm(connection, provider_id, as_of)
    _providers.confirm(connection, provider_id, as_of)


def register(
    connection: sqlite3.Connection, provider_ids: Collection[str], at: datetime, list_ttl: timedelta, opens: str
) -> None:
    """Forget all providers but these, store how long their lists count as fresh, and open an epoch."""
    _providers.register(connection, provider_ids, at)
    connection.execute("UPDATE state SET list_ttl = ?", (list_ttl // MICROSECOND,))
    _log.open_epoch(connection, opens, at)


def hold(connection: sqlite3.Connection, provider_id: str, held: Held | None) -> None:
    """Store a list that is held back or discarded; without one, remove what is there."""
    connection.execute("DELETE FROM quarantine WHERE provider_id = ?", (provider_id,))
    if held is not None:
        body, listing = QUARANTINE.dump_json(held.quarantine).decode(), write_listing(held.listing)
        row = (provider_id, body, held.discarded, micros(held.as_of), listing)
        connection.execute(f"INSERT INTO quarantine ({_HELD}) VALUES (?, ?, ?, ?, ?)", row)  # noqa: S608 - our own words

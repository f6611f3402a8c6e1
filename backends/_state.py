"""The catalogue's state in SQLite: what a server starts from, and each revision that moves it on."""

import re
import sqlite3
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from backends import _listings, _log, _standings
from backends._codec import MICROSECOND, QUARANTINE, maybe_moment, micros
from backends._rows import LARGEST_COUNT, require
from backends._transaction import transaction
from backends.errors import StoreConflict
from catalogue.listing import Listing
from catalogue.ports.store import Commit, Held, Stored

_EPOCH = re.compile("[0-9a-f]{16}")
_LONGEST_LOG = 10**15
"""No log has so many changes; a cursor has room for a thousand times as many."""


def read(connection: sqlite3.Connection) -> Stored:
    """All that a server starts from, as of one moment."""
    with transaction(connection, "DEFERRED"):
        ((epoch, revision, seq, updated_at, list_ttl),) = connection.execute(
            "SELECT epoch, revision, seq, updated_at, list_ttl FROM state"
        )
        listings = _listings.read(connection, held=False)
        held = _held(connection, _listings.read(connection, held=True))
        standings, told = _standings.read(connection)
    require(bool(_EPOCH.fullmatch(epoch)) and 0 <= revision <= LARGEST_COUNT and 0 <= seq <= _LONGEST_LOG)
    return Stored(
        epoch=epoch,
        revision=revision,
        seq=seq,
        updated_at=maybe_moment(updated_at),
        listings=listings,
        held=held,
        standings=standings,
        told=told,
        list_ttl=None if list_ttl is None else list_ttl * MICROSECOND,
    )


def _held(connection: sqlite3.Connection, listings: Mapping[str, Listing]) -> dict[str, Held]:
    """Held-back and discarded lists, each with its description; ValueError where one is without the other."""
    notes = connection.execute("SELECT provider_id, body, discarded FROM quarantine").fetchall()
    require(listings.keys() == {provider_id for provider_id, *_ in notes})
    held = {
        provider_id: Held(QUARANTINE.validate_json(body), listings[provider_id], discarded=bool(discarded))
        for provider_id, body, discarded in notes
    }
    require(all(found.quarantine.provider_id == provider_id for provider_id, found in held.items()))
    return held


def commit(connection: sqlite3.Connection, revision: Commit, before: Listing | None) -> None:
    """Write a revision whole; StoreConflict, and nothing written, unless it follows the stored one."""
    stored, seq = connection.execute("SELECT revision, seq FROM state").fetchone()
    expected = range(seq + 1, seq + 1 + len(revision.changes))
    if revision.revision != stored + 1 or [c.seq for c in revision.changes] != list(expected):
        raise StoreConflict("The store has moved on: another server writes to the same CATALOGUE_DATA_DIR.")
    if revision.listing is not None:
        _listings.write(connection, before, revision.listing, held=False)
    _log.append(connection, revision.changes)
    _standings.tell(connection, _concerned(revision), revision.at)
    if revision.standing is not None:
        _standings.write(connection, revision.standing, revision.at)
    connection.execute(
        "UPDATE state SET revision = ?, seq = ?, updated_at = ?",
        (revision.revision, seq + len(revision.changes), micros(revision.at)),
    )


def _concerned(revision: Commit) -> set[str]:
    """The providers whose state followers know as of this revision."""
    told = {change.provider_id for change in revision.changes}
    relisted = {revision.listing.provider_id} if revision.listing else set()
    return {id_ for id_ in told | relisted if id_ is not None}


def confirm(connection: sqlite3.Connection, provider_id: str, as_of: datetime) -> None:
    """Move a served listing, and what followers know of its provider, to a later moment at which both still held."""
    _listings.confirm(connection, provider_id, as_of)
    _standings.confirm(connection, provider_id, as_of)


def enrol(connection: sqlite3.Connection, provider_ids: Collection[str], at: datetime, list_ttl: timedelta) -> None:
    """Forget all providers but these, and write for how long their lists count as fresh from now on."""
    _standings.enrol(connection, provider_ids, at)
    connection.execute("UPDATE state SET list_ttl = ?", (list_ttl // MICROSECOND,))


def hold(connection: sqlite3.Connection, provider_id: str, held: Held | None) -> None:
    """Store a list that is held back or discarded; without one, remove what is there."""
    _listings.delete(connection, provider_id, held=True)
    connection.execute("DELETE FROM quarantine WHERE provider_id = ?", (provider_id,))
    if held is not None:
        _listings.write(connection, None, held.listing, held=True)
        connection.execute(
            "INSERT INTO quarantine (provider_id, body, discarded) VALUES (?, ?, ?)",
            (provider_id, QUARANTINE.dump_json(held.quarantine).decode(), held.discarded),
        )

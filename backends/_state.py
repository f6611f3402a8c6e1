"""The catalogue's state in SQLite: what a server starts from, and each revision that moves it on."""

import sqlite3

from backends import _listings, _log
from backends._codec import QUARANTINE, maybe_moment, micros
from backends._transaction import transaction
from backends.errors import StoreConflict
from catalogue.health import Quarantine
from catalogue.listing import Listing
from catalogue.ports import Commit, Stored


def read(connection: sqlite3.Connection) -> Stored:
    """All that a server starts from, as of one moment."""
    with transaction(connection, "DEFERRED"):
        ((epoch, revision, seq, updated_at),) = connection.execute("SELECT epoch, revision, seq, updated_at FROM state")
        listings = _listings.read(connection, held=False)
        held = _listings.read(connection, held=True)
        notes = connection.execute("SELECT provider_id, body FROM quarantine").fetchall()
    return Stored(
        epoch=epoch,
        revision=revision,
        seq=seq,
        updated_at=maybe_moment(updated_at),
        listings=listings,
        quarantines={id_: (QUARANTINE.validate_json(body), held[id_]) for id_, body in notes if id_ in held},
    )


def commit(connection: sqlite3.Connection, revision: Commit, before: Listing | None) -> None:
    """Write a revision whole; StoreConflict, and nothing written, unless it follows the stored one."""
    stored, seq = connection.execute("SELECT revision, seq FROM state").fetchone()
    expected = range(seq + 1, seq + 1 + len(revision.changes))
    if revision.revision != stored + 1 or [c.seq for c in revision.changes] != list(expected):
        raise StoreConflict("The store has moved on: another server writes to the same CATALOGUE_DATA_DIR.")
    if revision.listing is not None:
        _listings.write(connection, before, revision.listing, held=False)
    _log.append(connection, revision.changes)
    connection.execute(
        "UPDATE state SET revision = ?, seq = ?, updated_at = ?",
        (revision.revision, seq + len(revision.changes), micros(revision.at)),
    )


def hold(
    connection: sqlite3.Connection, provider_id: str, quarantine: Quarantine | None, listing: Listing | None
) -> None:
    """Store a quarantine with the listing it holds back; without both, remove what is there."""
    _listings.delete(connection, provider_id, held=True)
    connection.execute("DELETE FROM quarantine WHERE provider_id = ?", (provider_id,))
    if quarantine is not None and listing is not None:
        _listings.write(connection, None, listing, held=True)
        connection.execute(
            "INSERT INTO quarantine VALUES (?, ?)", (provider_id, QUARANTINE.dump_json(quarantine).decode())
        )

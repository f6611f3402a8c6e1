"""Positions in the change log, encoded for clients."""

from catalogue import cursor
from catalogue.change import ChangeRecord
from catalogue.snapshot import Snapshot
from schema.scalars import Cursor


def position(snapshot: Snapshot) -> Cursor:
    """Return the cursor of the latest change that a snapshot includes."""
    return Cursor(cursor.encode(snapshot.revision.position))


def event_id(event: object) -> str | None:
    """Return the id of a subscription's event: the cursor of a change, null for any other event."""
    return cursor.encode(event.position) if isinstance(event, ChangeRecord) else None

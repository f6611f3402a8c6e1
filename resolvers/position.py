"""Positions in the log of changes, as clients see them."""

from collections.abc import Callable

from catalogue import cursor
from catalogue.change import ChangeRecord
from catalogue.ports.reading import Reader
from catalogue.snapshot import Snapshot
from schema.scalars import Cursor


def position(snapshot: Snapshot) -> Cursor:
    """The cursor of the last change that a snapshot includes."""
    return Cursor(cursor.encode(snapshot.epoch, snapshot.seq))


def event_ids(reader: Reader) -> Callable[[object], str | None]:
    """How a subscription's source events are named: changes by their cursor, anything else not at all."""

    def event_id(event: object) -> str | None:
        return cursor.encode(reader.snapshot.epoch, event.seq) if isinstance(event, ChangeRecord) else None

    return event_id

"""How a change is taken apart for its row and put together again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from pydantic import TypeAdapter

from backends import _versions
from backends._codec import moment
from catalogue.change import Change, ModelChange
from catalogue.position import Position

CODES = {
    "MODEL_ADDED": 1,
    "MODEL_REMOVED": 2,
    "STATUS_CHANGED": 3,
    "PRICE_CHANGED": 4,
    "DETAILS_CHANGED": 5,
    "EXPIRY_ANNOUNCED": 6,
    "EXPIRY_WITHDRAWN": 7,
    "PROVIDER_HEALTH_CHANGED": 8,
    "RESYNC": 9,
}
"""How each kind is stored. A number is never given to another kind."""
KINDS = {code: kind for kind, code in CODES.items()}

_CHANGE: TypeAdapter[Change] = TypeAdapter(Change)
_IN_ROW = {"position", "at", "provider_id", "kind"}
_IN_VERSION = {"facts", "first_seen_at"}

Row = tuple[int, int, int, str | None, int | None, int]
"""Of the change table: seq, at, kind, provider_id, version, detail."""


@dataclass(frozen=True, slots=True)
class Detail:
    """Everything that a change says apart from its row and its model's facts. Equal details have equal values."""

    values: tuple[object, ...]
    change: Change

    def __eq__(self, other: object) -> bool:
        """Whether both are stored as the same text."""
        return isinstance(other, Detail) and self.values == other.values

    def __hash__(self) -> int:
        """As for equality."""
        return hash(self.values)

    def body(self) -> str:
        """The stored text."""
        model = _IN_VERSION if isinstance(self.change, ModelChange) else None
        excluded: dict[str, Any] = dict.fromkeys(_IN_ROW, True) | ({"model": model} if model else {})
        return _CHANGE.dump_json(self.change, exclude=excluded).decode()


def detail_of(change: Change) -> Detail:
    """The detail of a change."""
    own = [getattr(change, name) for name in change.__dataclass_fields__ if name not in {*_IN_ROW, "model"}]
    if isinstance(change, ModelChange):
        own += [getattr(change.model, name) for name in change.model.__dataclass_fields__ if name not in _IN_VERSION]
    return Detail((change.kind, *own), change)


def changes_of(details: Mapping[int, str], versions: Mapping[int, _versions.Row]) -> Callable[[Row, Position], Change]:
    """A function that puts changes together, and reads each detail and version once.

    For a broken row it raises ValueError, TypeError, LookupError or OverflowError.
    """
    body_of = cache(lambda number: orjson.loads(details[number]))
    version_of = cache(lambda number: _versions.read(versions[number]))

    def read(row: Row, position: Position) -> Change:
        _, at, kind, provider_id, version, detail = row
        own = {"position": position, "at": moment(at), "kind": KINDS[kind], "provider_id": provider_id}
        if version is not None:
            facts, first_seen = version_of(version)
            own["model"] = body_of(detail)["model"] | {"facts": facts, "first_seen_at": first_seen}
        return _CHANGE.validate_python(body_of(detail) | own)

    return read

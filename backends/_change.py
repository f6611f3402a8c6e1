"""How a change is taken apart for its row and put together again."""

from collections.abc import Callable
from functools import cache
from typing import Any

import orjson
from pydantic import TypeAdapter

from backends._codec import maybe_moment, moment, read_facts
from catalogue.change import Change
from catalogue.position import Timeline

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
_ELSEWHERE: Any = {"position": True, "at": True, "provider_id": True, "kind": True, "model": {"facts", "first_seen_at"}}

Row = tuple[int, int, int, str | None, int | None, str, str, int | None, str]
"""A change: seq, at, kind, provider_id, version. Its detail: body. Its version: model_id, first_seen, facts."""


def body_of(change: Change) -> str:
    """The text of a change's detail: everything that it says apart from its row and its model's facts."""
    return _CHANGE.dump_json(change, exclude=_ELSEWHERE).decode()


def reader(timeline: Timeline) -> Callable[[Row], Change]:
    """A function that puts changes together, and reads equal texts once.

    For a broken row it raises ValueError, TypeError, LookupError or OverflowError.
    """
    decoded, facts_of = cache(orjson.loads), cache(read_facts)

    def read(row: Row) -> Change:
        seq, at, kind, provider_id, version, body, model_id, first_seen, facts = row
        own = {"position": timeline.at(seq), "at": moment(at), "kind": KINDS[kind], "provider_id": provider_id}
        if version is not None:
            model = {"facts": facts_of(facts, model_id), "first_seen_at": maybe_moment(first_seen)}
            own["model"] = decoded(body)["model"] | model
        return _CHANGE.validate_python(decoded(body) | own)

    return read

"""The `Accept` header, weighed for the media types of a GraphQL server."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

LONGEST: Final = 4_096
"""Characters of `Accept` that are read."""
MOST_RANGES: Final = 50
"""Media ranges that are weighed; browsers send ten at most."""

_UNACCEPTABLE: Final = (0.0, 0)
"""Ranks are compared: the greater quality, then the earlier place."""


class MediaType(Enum):
    """The media types of an answer, the preferred one first where a wildcard leaves the choice to the server."""

    JSON = "application/json"
    GRAPHQL = "application/graphql-response+json"
    EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Acceptable:
    """The media types that one client reads."""

    answer: MediaType | None
    """The better of the two JSON types, or None where it reads neither."""
    stream: bool
    """Whether it named event streams."""
    stream_first: bool
    """Whether it would rather have an event stream than JSON."""


def acceptable(header: str | None) -> Acceptable:
    """Weigh an `Accept` header; without one, everything is acceptable and JSON is answered.

    The most specific range decides about a media type (RFC 9110), quality 0 excludes it, and among equals the earlier
    one wins. An event stream must be named: a wildcard does not ask for one. If the header is longer than `LONGEST` or
    has more than `MOST_RANGES`, nothing is acceptable.
    """
    header = header or "*/*"
    if len(header) > LONGEST or header.count(",") >= MOST_RANGES:
        return Acceptable(answer=None, stream=False, stream_first=False)
    ranks: dict[str, tuple[float, int]] = {}
    for position, media_range in enumerate(header.lower().split(",")):
        name, *parameters = (piece.strip() for piece in media_range.split(";"))
        ranks.setdefault(name, (_quality(parameters), -position))
    found = {}
    for media_type in (MediaType.JSON, MediaType.GRAPHQL):
        names = (media_type.value, "application/*", "*/*")
        rank = next((ranks[name] for name in names if name in ranks), _UNACCEPTABLE)
        if rank > _UNACCEPTABLE:
            found[media_type] = rank
    answer = max(found, key=found.__getitem__, default=None)
    stream = ranks.get(MediaType.EVENT_STREAM.value, _UNACCEPTABLE)
    first = stream > (found[answer] if answer else _UNACCEPTABLE)
    return Acceptable(answer=answer, stream=stream > _UNACCEPTABLE, stream_first=first)


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                break
    return 1.0

"""The `Accept` header, weighed for the media types of a GraphQL server."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from starlette.requests import HTTPConnection

LONGEST: Final = 4_096
"""Characters of `Accept` that are read."""
MOST_RANGES: Final = 50
"""Media ranges that are weighed; browsers send ten at most."""


class MediaType(Enum):
    """The media types of an answer, the preferred one first where a wildcard leaves the choice to the server."""

    JSON = "application/json"
    GRAPHQL = "application/graphql-response+json"
    EVENT_STREAM = "text/event-stream"

    @property
    def content_type(self) -> str:
        """The value of `Content-Type`."""
        return f"{self.value}; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Acceptable:
    """The media types that one client reads."""

    answer: MediaType | None
    """The better of the two JSON types, or None where it reads neither."""
    stream: bool
    """Whether it named event streams."""
    stream_first: bool
    """Whether it would rather have an event stream than JSON."""


@dataclass(frozen=True, slots=True)
class _Range:
    main: str
    sub: str
    quality: float
    position: int

    @property
    def named(self) -> bool:
        return self.main != "*" and self.sub != "*"

    def matches(self, media_type: MediaType) -> bool:
        main, sub = media_type.value.split("/")
        return self.main in ("*", main) and self.sub in ("*", sub)

    @property
    def specificity(self) -> int:
        return (self.main != "*") + (self.sub != "*")

    @property
    def rank(self) -> tuple[float, int]:
        """Greater is better: quality, then the earlier place."""
        return self.quality, -self.position


def acceptable(header: str | None) -> Acceptable:
    """Weigh an `Accept` header; without one, or with an empty one, everything is acceptable and JSON is answered.

    The most specific range decides about a media type (RFC 9110), quality 0 excludes it, and among equals the earlier
    one wins. An event stream must be named: a wildcard does not ask for one. Of a header that is longer than `LONGEST`
    or has more than `MOST_RANGES`, nothing is acceptable.
    """
    if header and (len(header) > LONGEST or header.count(",") >= MOST_RANGES):
        return Acceptable(answer=None, stream=False, stream_first=False)
    ranges = _ranges(header or "*/*")
    ranked = {media_type: found for media_type in MediaType if (found := _range_of(media_type, ranges))}
    stream = ranked.pop(MediaType.EVENT_STREAM, None)
    answer = max(ranked, key=lambda media_type: ranked[media_type].rank, default=None)
    named = stream is not None and stream.named
    return Acceptable(
        answer=answer,
        stream=named,
        stream_first=named and stream is not None and (answer is None or stream.rank > ranked[answer].rank),
    )


def acceptable_to(connection: HTTPConnection) -> Acceptable:
    """Weigh all `Accept` headers of a connection as one."""
    return acceptable(",".join(connection.headers.getlist("accept")))


def _range_of(media_type: MediaType, ranges: list[_Range]) -> _Range | None:
    matching = [found for found in ranges if found.matches(media_type)]
    best = max(matching, key=lambda found: found.specificity, default=None)
    return best if best is not None and best.quality > 0 else None


def _ranges(header: str) -> list[_Range]:
    ranges = (_range(part, position) for position, part in enumerate(header.lower().split(",")))
    return [found for found in ranges if found is not None]


def _range(part: str, position: int) -> _Range | None:
    name, *parameters = (piece.strip() for piece in part.split(";"))
    main, slash, sub = name.partition("/")
    if not (slash and main and sub):
        return None
    return _Range(main, sub, _quality(parameters), position)


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 1.0
    return 1.0

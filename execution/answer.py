"""What a client gets: the bytes of one GraphQL result and how it came out."""

from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """How an operation came out; a transport maps it to its own words (status codes, message types)."""

    OK = "ok"
    """Data without errors."""
    PARTIAL = "partial"
    """Data, and errors of some fields."""
    FAILED = "failed"
    """Ran, but no data came of it: `data` is null, or a stream broke."""
    UNPARSABLE = "unparsable"
    """The document is not GraphQL."""
    INVALID = "invalid"
    """The document, its variables or the chosen operation do not fit the schema or the limits."""
    REFUSED = "refused"
    """This kind of operation is not allowed here (a mutation by GET, a subscription without a stream)."""
    UNKNOWN_DOCUMENT = "unknown_document"
    """No document with this hash is known."""
    TIMED_OUT = "timed_out"
    """It took longer than one operation may."""
    CRASHED = "crashed"
    """The server's fault before any field ran."""

    @property
    def ran(self) -> bool:
        """Whether execution began, so that the result has a `data` entry."""
        return self in (Outcome.OK, Outcome.PARTIAL, Outcome.FAILED)


@dataclass(frozen=True, slots=True)
class Answer:
    """One GraphQL result, ready to send."""

    body: bytes
    """UTF-8 JSON of the result: `data`, `errors`."""
    outcome: Outcome
    private: bool = False
    """Whether it holds something of this caller alone, so that no shared cache may keep it."""
    event_id: str | None = None
    """The cursor of a subscription's event, from which a client may resume."""

"""The answer to one GraphQL operation: its encoded result and its outcome."""

from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """The outcome of an operation; each transport maps it to status codes or message types."""

    OK = "ok"
    """Data without errors."""
    PARTIAL = "partial"
    """Data, and errors of some fields."""
    FAILED = "failed"
    """The operation ran without data: `data` is null, or a stream failed."""
    UNPARSABLE = "unparsable"
    """The document is not GraphQL."""
    INVALID = "invalid"
    """The document, its variables or the selected operation do not fit the schema or the limits."""
    REFUSED = "refused"
    """The transport does not allow this kind of operation (a mutation by GET, a subscription without a stream)."""
    UNKNOWN_DOCUMENT = "unknown_document"
    """No document with this hash is known."""
    TIMED_OUT = "timed_out"
    """The operation took too long."""
    CRASHED = "crashed"
    """The server failed before any field ran."""

    @property
    def ran(self) -> bool:
        """Whether execution started, so that the result has a `data` entry."""
        return self in (Outcome.OK, Outcome.PARTIAL, Outcome.FAILED)


@dataclass(frozen=True, slots=True)
class Answer:
    """One GraphQL result, ready to send."""

    body: bytes
    """UTF-8 JSON of the result: `data`, `errors`."""
    outcome: Outcome
    private: bool = False
    """Whether it has data of this caller only, so that shared caches must not store it."""
    event_id: str | None = None
    """The cursor of a subscription's event, from which a client can resume."""

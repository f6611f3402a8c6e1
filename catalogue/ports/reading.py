"""Where the current state is read, and changes: a page of the log at a time, or as they come."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from catalogue.change import EVERYTHING, Change, ChangeFilter
from catalogue.position import Position
from catalogue.snapshot import Snapshot


class Reader(Protocol):
    """Where the current state is read."""

    @property
    def snapshot(self) -> Snapshot:
        """The catalogue now. Hold on to it for one consistent answer."""


class Feed(Protocol):
    """Where changes are followed."""

    def follow(self, since: str | None, wanted: ChangeFilter = EVERYTHING) -> AsyncIterator[Change]:
        """Every wanted change after a cursor, or from now on, each exactly once; a Resync where the log has a gap.

        Raises BadUserInput at the first step for a cursor that is not readable.
        """

    async def oldest(self) -> Position:
        """The earliest position that can still be resumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """Changes after a position that pass a filter, oldest first."""

    changes: Sequence[Change]
    """None where the log is trimmed."""
    end: int
    """The number of the last change that was looked at: the next page begins after it."""
    trimmed: bool
    """Whether the log no longer holds everything after the position."""


class Log(Protocol):
    """Where changes last. Every method may raise a StoreError."""

    async def read(self, after: int, limit: int, wanted: ChangeFilter) -> LogPage:
        """Read at most `limit` changes after the one with this number."""

    async def oldest(self) -> Position:
        """The earliest position that can still be resumed."""

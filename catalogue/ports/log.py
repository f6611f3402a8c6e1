"""The log of changes, read a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from catalogue.change import Change
from catalogue.change_filter import ChangeFilter
from catalogue.position import Position


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

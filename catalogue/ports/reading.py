"""Where the current state is read, and changes are followed."""

from collections.abc import AsyncIterator
from typing import Protocol

from catalogue.change import Change
from catalogue.change_filter import EVERYTHING, ChangeFilter
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

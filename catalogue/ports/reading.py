"""Where the current state is read, and changes are followed."""

from collections.abc import AsyncIterator
from typing import Protocol

from catalogue.change import Change
from catalogue.snapshot import Snapshot


class Reader(Protocol):
    """Where the current state is read."""

    @property
    def snapshot(self) -> Snapshot:
        """The catalogue now; hold on to it for one consistent answer."""


class Feed(Protocol):
    """Where changes are followed."""

    def follow(self, since: str | None) -> AsyncIterator[Change]:
        """Every change after a cursor, or from now on, each exactly once; Resync where the log cannot tell.

        Raises BadUserInput at the first step for a cursor that is not readable.
        """

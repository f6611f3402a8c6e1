"""Positions in the log of changes, their opaque form, and the epochs that decide which of them can be resumed."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from catalogue.errors import BadUserInput

_LONGEST_CURSOR = 100
_FORM = re.compile(rb"([0-9a-f]{1,32})\.([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the log: right after the change with this number, as written in this epoch."""

    epoch: str = ""
    seq: int = 0

    @property
    def cursor(self) -> str:
        """The opaque form in which clients hold it."""
        return base64.urlsafe_b64encode(f"{self.epoch}.{self.seq}".encode()).decode().rstrip("=")

    def later(self, changes: int) -> "Position":
        """The position after some more changes of the same epoch."""
        return Position(self.epoch, self.seq + changes)


def position_of(cursor: str) -> Position:
    """The position of a cursor. Raises BadUserInput for text that is not a cursor."""
    padded = cursor + "=" * (-len(cursor) % 4) if len(cursor) <= _LONGEST_CURSOR else ""
    try:
        form = _FORM.fullmatch(base64.b64decode(padded, altchars=b"-_", validate=True))
    except ValueError:
        form = None
    if form is None:
        raise BadUserInput("This cursor is not readable. Pass one that the catalogue returned, unchanged.")
    return Position(form[1].decode(), int(form[2]))


@dataclass(frozen=True, slots=True)
class Epoch:
    """A stretch of the log: every start of a server opens one, and so does a store that recovers."""

    name: str
    first_seq: int
    """The number of the first change written in it."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The epochs of a log, oldest first. Each ends where the next one begins."""

    epochs: tuple[Epoch, ...]

    def __post_init__(self) -> None:
        if any(later.first_seq < earlier.first_seq for earlier, later in pairwise(self.epochs)):
            raise ValueError("epochs out of order")

    def opened(self, name: str, first_seq: int) -> "Timeline":
        """The timeline with one more epoch."""
        return Timeline((*self.epochs, Epoch(name, first_seq)))

    def end(self, seq: int) -> Position:
        """The position at the end of the log, whose last change has this number."""
        return Position(self.epochs[-1].name, seq)

    def at(self, seq: int) -> Position:
        """The position right after a change, in the epoch that wrote it."""
        return Position(next((e.name for e in reversed(self.epochs) if e.first_seq <= seq), self.epochs[0].name), seq)

    def knows(self, position: Position) -> bool:
        """Whether the epoch of a position is in the log."""
        return any(epoch.name == position.epoch for epoch in self.epochs)

    def holds(self, position: Position, *, last: int) -> bool:
        """Whether a position lies within its epoch; `last` is the number of the last change of the log.

        A position beyond the end of its epoch was given by a log that was lost or put back, or while the store failed.
        """
        ends: Sequence[int] = [*(later.first_seq - 1 for later in self.epochs[1:]), last]
        return any(
            epoch.name == position.epoch and epoch.first_seq - 1 <= position.seq <= end
            for epoch, end in zip(self.epochs, ends, strict=True)
        )

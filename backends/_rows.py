"""Rows as they are read: one that cannot be right stops a store's opening, and is passed over once it is open."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")

LARGEST_COUNT = 2**31 - 1
"""What a GraphQL Int holds: a larger number could not be told."""
_UNREADABLE = (TypeError, ValueError, OverflowError)

Row = tuple[Any, ...]
Report = Callable[[str], None]
"""Is told the table of which a row was passed over."""


def readable(table: str, rows: Iterable[Row], read: Callable[[Any], T], report: Report) -> Iterator[T]:
    """What the rows of a table hold; a row that cannot be read is reported and passed over."""
    for row in rows:
        try:
            yield read(row)
        except _UNREADABLE:
            report(table)


def require_all(rows: Iterable[T], read: Callable[[T], object]) -> None:
    """Read every row, for the ValueError or OverflowError that one that cannot be read raises."""
    for row in rows:
        read(row)


def require(sound: bool) -> None:  # noqa: FBT001 - the condition, and nothing else
    """Raise ValueError unless a value can be right."""
    if not sound:
        raise ValueError("a value that cannot be right")


def decoded(text: bytes) -> str:
    """Text as it is stored; what is no UTF-8 shows as lone surrogates, so that only the row that holds it is lost."""
    return text.decode("utf-8", "surrogateescape")


def require_text(*texts: str | None) -> None:
    """Raise ValueError for text that was no UTF-8."""
    for text in texts:
        (text or "").encode()


def require_provider(id_: str) -> None:
    """Raise ValueError for what no provider can be called, whether it is configured or not."""
    require(bool(id_) and id_.isprintable() and "/" not in id_)

"""Pages of an ordered list of models, and cursors that hold a place in it: the sort key and the id."""

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any, NamedTuple

from catalogue.errors import BadUserInput
from catalogue.ranking import Key, Ranking, Row
from schema.arguments import bounded

LONGEST_PAGE = 1000
DEFAULT_PAGE = 100
_LONGEST_CURSOR = 4000


class Span(NamedTuple):
    """Where a page begins and ends (exclusive) in its list."""

    start: int
    stop: int


def span(
    rows: Sequence[Row],
    ranking: Ranking,
    *,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> Span:
    """Cut a page as Relay says: what lies between the cursors, then the first of it, then the last of that."""
    bounded("first", first, LONGEST_PAGE)
    bounded("last", last, LONGEST_PAGE)
    start = bisect_right(rows, _place(ranking, after, "after"), key=ranking.place) if after is not None else 0
    stop = bisect_left(rows, _place(ranking, before, "before"), key=ranking.place) if before is not None else len(rows)
    stop = max(start, stop)
    if first is None and last is None:
        first = DEFAULT_PAGE
    if first is not None:
        stop = min(stop, start + first)
    if last is not None:
        start = max(start, stop - last)
    return Span(start, stop)


def write_cursor(ranking: Ranking, row: Row) -> str:
    """The cursor of a row in an order."""
    return _pack([ranking.field.name, ranking.direction.name, ranking.key(row), row.facts.id])


def _place(ranking: Ranking, cursor: str, argument: str) -> tuple[object, ...]:
    match _unpack(cursor):
        case [ranking.field.name, ranking.direction.name, None | str() | float() | int() as key, str() as id_]:
            return ranking.place_of(_checked(ranking, key, argument), id_)
    raise _unreadable(argument)


def _checked(ranking: Ranking, key: Key, argument: str) -> Key:
    """A key of the kind that this order compares."""
    if key is not None and isinstance(key, str) is not ranking.textual:
        raise _unreadable(argument)
    return key


def _unreadable(argument: str) -> BadUserInput:
    return BadUserInput(
        f"The cursor in '{argument}' is not readable. Pass one from this list in this order, unchanged."
    )


def write_number(number: int) -> str:
    """The cursor of an entry that is known by a number."""
    return _pack([number])


def read_number(cursor: str, argument: str) -> int:
    """The number in a cursor; BadUserInput where it holds none."""
    match _unpack(cursor):
        case [int() as number] if 0 <= number < 2**63:
            return number
    raise _unreadable(argument)


def _pack(value: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def _unpack(cursor: str) -> Any:
    if len(cursor) > _LONGEST_CURSOR:
        return None
    try:
        return json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        return None

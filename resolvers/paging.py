"""Pages of an ordered list of models. A cursor holds the sort key and the id of a model."""

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

from catalogue.errors import BadUserInput
from catalogue.facts import ModelFacts
from catalogue.ranking import Key, Place, Ranking
from catalogue.snapshot import Revision
from schema.arguments import bounded
from schema.connection import PageInfo

LONGEST_PAGE = 1000
DEFAULT_PAGE = 100
_LONGEST_CURSOR = 4000


def span(
    rows: Sequence[ModelFacts],
    ranking: Ranking,
    revision: Revision,
    *,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> tuple[int, int]:
    """Return the start and end of a page as Relay cuts it: between the cursors, of that the first, of that the last."""
    bounded("first", first, LONGEST_PAGE)
    bounded("last", last, LONGEST_PAGE)
    place = ranking.placing(revision)
    start = bisect_right(rows, _place(ranking, after, "after"), key=place) if after is not None else 0
    stop = bisect_left(rows, _place(ranking, before, "before"), key=place) if before is not None else len(rows)
    stop = max(start, stop)
    if first is None and last is None:
        first = DEFAULT_PAGE
    if first is not None:
        stop = min(stop, start + first)
    if last is not None:
        start = max(start, stop - last)
    return start, stop


def page_info(cursors: Sequence[str], *, previous: bool, following: bool) -> PageInfo:
    """Describe a page by the cursors of its entries, and by whether entries precede and follow it."""
    return PageInfo(
        has_next_page=following,
        has_previous_page=previous,
        start_cursor=cursors[0] if cursors else None,
        end_cursor=cursors[-1] if cursors else None,
    )


def write_cursor(ranking: Ranking, row: ModelFacts, revision: Revision) -> str:
    """Return the cursor of a row in an order."""
    return _pack([ranking.field.name, ranking.direction.name, ranking.key(row, revision), row.id])


def _place(ranking: Ranking, cursor: str, argument: str) -> Place:
    match _unpack(cursor):
        case [ranking.field.name, ranking.direction.name, None | str() | float() | int() as key, str() as id_]:
            return ranking.place_of(_checked(ranking, key, argument), id_)
    raise _unreadable(argument)


def _checked(ranking: Ranking, key: Key, argument: str) -> Key:
    """Return the key if it has the type that this order compares."""
    if key is not None and isinstance(key, str) is not ranking.textual:
        raise _unreadable(argument)
    return key


def _unreadable(argument: str) -> BadUserInput:
    return BadUserInput(
        f"The cursor in '{argument}' is not readable. Pass one from this list in this order, unchanged."
    )


def write_number(number: int) -> str:
    """Return the cursor of an entry with a number."""
    return _pack([number])


def read_number(cursor: str, argument: str) -> int:
    """Return the number in a cursor; raise BadUserInput if it has none."""
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

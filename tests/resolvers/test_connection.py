"""Models a page at a time."""

import base64
import json
import weakref
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.ranking import Direction, OrderField, Ranking
from catalogue.selection import Criteria, select
from resolvers.paging import span, write_cursor
from tests.resolvers.asking import ask, context, ids, refusal
from tests.resolvers.fakes import Ports
from tests.resolvers.world import ALPHA, MINI, OPUS, WORLD, snapshot, state

PAGE = """query ($first: Int, $after: String, $last: Int, $before: String, $order: ModelOrder) {
  modelsConnection(first: $first, after: $after, last: $last, before: $before, orderBy: $order) {
    totalCount nodes { id } edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


async def page(**variables: Any) -> Any:
    return (await ask(PAGE, **variables))["modelsConnection"]


def found(connection: Any) -> list[str]:
    return [node["id"] for node in connection["nodes"]]


async def test_a_page_tells_where_it_stands() -> None:
    first = await page(first=1)
    assert found(first) == ["alpha/lab/mini"]
    assert first["totalCount"] == 4
    cursor = first["edges"][0]["cursor"]
    assert first["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": cursor,
        "endCursor": cursor,
    }


async def test_an_empty_page_has_no_cursors() -> None:
    info = (await page(first=0))["pageInfo"]
    assert (info["startCursor"], info["endCursor"], info["hasNextPage"]) == (None, None, True)


async def test_last_and_before_walk_backwards() -> None:
    end = await page(last=1)
    before = await page(last=2, before=end["pageInfo"]["startCursor"])
    assert found(before) == ["alpha/lab/opus", "beta/opus"]
    assert before["pageInfo"]["hasPreviousPage"]


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("field", [f for f in OrderField if f is not OrderField.RELEVANCE])
async def test_pages_of_every_order_join_to_the_whole_list(field: OrderField, direction: Direction) -> None:
    order = {"field": field.name, "direction": direction.name}
    whole = await ids(f"(orderBy: {{field: {field.name}, direction: {direction.name}}})")
    seen, after = [], None
    for _ in whole:
        part = await page(first=1, after=after, order=order)
        seen += found(part)
        after = part["pageInfo"]["endCursor"]
    assert seen == whole
    assert found(await page(first=1, after=after, order=order)) == []


async def test_a_cursor_outlives_its_row() -> None:
    first = await page(first=1)
    without = Ports(snapshot(state("alpha", [OPUS])))
    rest = await ask(PAGE, context(without), after=first["pageInfo"]["endCursor"])
    assert found(rest["modelsConnection"]) == ["alpha/lab/opus"]


@pytest.mark.parametrize(
    "cursor",
    [
        "garbled",
        "",
        "é",
        base64.urlsafe_b64encode(json.dumps(["NAME", "ASC", 1, "x"]).encode()).decode(),
        base64.urlsafe_b64encode(json.dumps(["CONTEXT", "ASC", 1, "x"]).encode()).decode(),
        base64.urlsafe_b64encode(b"[" * 3000).decode(),
        "x" * 5000,
    ],
)
async def test_a_cursor_of_another_list_is_a_clear_error(cursor: str) -> None:
    code, message = await refusal(PAGE, after=cursor)
    assert code == "BAD_USER_INPUT"
    assert "'after'" in message


@pytest.mark.parametrize(
    ("arguments", "word"), [({"first": -1}, "'first'"), ({"last": -1}, "'last'"), ({"first": 1001}, "1000")]
)
async def test_page_sizes_are_bounded(arguments: dict[str, Any], word: str) -> None:
    code, message = await refusal(PAGE, **arguments)
    assert code == "BAD_USER_INPUT"
    assert word in message


@given(
    first=st.none() | st.integers(0, 6),
    last=st.none() | st.integers(0, 6),
    after=st.none() | st.integers(0, 3),
    before=st.none() | st.integers(0, 3),
)
def test_a_page_is_what_relay_says(first: int | None, last: int | None, after: int | None, before: int | None) -> None:
    """Between the cursors, then the first of that, then the last of that."""
    ranking = Ranking()
    rows, revision = select(WORLD, Criteria()), WORLD.revision
    start, stop = span(
        rows,
        ranking,
        revision,
        first=first,
        last=last,
        after=None if after is None else write_cursor(ranking, rows[after], revision),
        before=None if before is None else write_cursor(ranking, rows[before], revision),
    )
    between = rows[0 if after is None else after + 1 : len(rows) if before is None else before]
    expected = between[:first] if first is not None else between
    expected = expected[max(0, len(expected) - last) :] if last is not None else expected
    assert rows[start:stop] == expected


def test_an_index_is_forgotten_with_its_snapshot() -> None:
    passing = snapshot(ALPHA, state("beta", [MINI]))
    select(passing, Criteria())
    index = weakref.ref(passing.revision.index)
    del passing
    assert index() is None

"""No request whatever makes the server fail."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.small.over_http import EVENTS, GRAPHQL, JSON, HttpWorld

accepts = st.sampled_from([GRAPHQL, JSON, EVENTS, "*/*"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
words = (
    "{ } ( ) [ ] : ! $ @ ... | = & query mutation subscription fragment on model models id name limit first n A B "
    'Model boom count target 1 -1 9999999999 1.5 "x" """x""" "\\uD800" null true @skip @include if # \\ é'
)
documents = st.text(max_size=60) | st.lists(st.sampled_from(words.split(" ")), max_size=40).map(" ".join)
requests = st.fixed_dictionaries(
    {},
    optional={
        "query": documents | json_values,
        "variables": st.dictionaries(st.sampled_from(["n", "A"]), json_values) | json_values,
        "operationName": st.sampled_from(["A", "B", ""]) | json_values,
        "extensions": json_values | st.fixed_dictionaries({"persistedQuery": json_values}),
        "documentId": json_values,
    },
)


WORLD = HttpWorld()
"""One for all requests: what one does bears on no other."""


async def _status(body: bytes, accept: str) -> int:
    async with WORLD.client() as client:
        headers = {"accept": accept, "content-type": JSON}
        return (await client.post("/graphql", content=body, headers=headers)).status_code


@settings(deadline=None, max_examples=150)
@given(body=st.binary(max_size=200), accept=accepts)
async def test_no_bytes_as_a_body_give_a_server_error(body: bytes, accept: str) -> None:
    assert 400 <= await _status(body, accept) < 500


@settings(deadline=None, max_examples=150)
@given(body=requests | json_values, accept=accepts)
async def test_no_json_as_a_body_gives_a_server_error(body: Any, accept: str) -> None:
    assert await _status(json.dumps(body).encode(), accept) < 500


@settings(deadline=None, max_examples=100)
@given(
    given_parameters=st.dictionaries(
        st.sampled_from(["query", "variables", "extensions", "operationName", "documentId", "x"]),
        documents | json_values.map(repr),
    ),
    accept=accepts,
)
async def test_no_query_string_gives_a_server_error(given_parameters: dict[str, str], accept: str) -> None:
    assert (await WORLD.get(accept, None, **given_parameters)).status_code < 500


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"7",
        b"null",
        b"[]",
        b'[{"query":"{__typename}"},{"query":"{__typename}"}]',
        b'{"query":"\xff\xfe"}',
        b'{"query":"{__typename}","variables":{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}}",
        b'{"query":"{__typename}","variables":{"a":NaN}}',
        b'{"query":"\\ud800"}',
        b"query=%7B__typename%7D",
    ],
)
async def test_a_body_that_is_no_request_is_the_callers_fault(body: bytes) -> None:
    assert 400 <= await _status(body, GRAPHQL) < 500

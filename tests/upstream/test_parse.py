"""Bodies become facts, or one clear error; garbage rows are dropped and counted."""

import contextlib
import json
import pickle
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.facts import ModelFacts
from providers._kit.adapter import Adapter
from providers._kit.registry import adapters
from providers._kit.row import Row
from upstream.errors import Malformed
from upstream.parse import MAX_ROWS, parse_endpoints, parse_list

ANY = adapters()["openai-compatible"]


def rows(*ids: str, **fields: object) -> list[dict[str, object]]:
    return [{"id": i, **fields} for i in ids]


def parse(*decoded: object, adapter: Adapter = ANY) -> tuple[list[str], int]:
    bodies = [json.dumps(d).encode() for d in decoded]
    parsed = parse_list(adapter, "mine", "My gateway", bodies)
    return [facts.id for facts in parsed.models], parsed.dropped


@pytest.mark.parametrize("envelope", ["data", "models", "items", None])
def test_a_list_is_found_in_every_known_envelope(envelope: str | None) -> None:
    listed = rows("a", "b")
    assert parse({envelope: listed} if envelope else listed) == (["mine/a", "mine/b"], 0)


@pytest.mark.parametrize("empty", [{"data": None}, {"data": []}, [], None])
def test_an_empty_list_is_a_list(empty: object) -> None:
    assert parse(empty) == ([], 0)


def test_garbage_rows_are_dropped_and_counted() -> None:
    assert parse([None, 7, "row", [], {}, {"id": None}, *rows("a")]) == (["mine/a"], 6)


def test_a_row_that_trips_its_adapter_costs_that_row_and_not_the_list() -> None:
    def read(row: Row) -> ModelFacts | None:
        slip: Any = row.row("metadata").count("a")
        return ANY.read(row) if slip + 1 else None

    tripping = replace(ANY, read=read)
    good = rows("a", metadata={"a": 1})
    assert parse([*rows("b", metadata=7), *good, *rows("c", metadata={})], adapter=tripping) == (["mine/a"], 2)
    with pytest.raises(Malformed, match="No row"):
        parse(rows("b", "c", metadata=7), adapter=tripping)


def test_a_repeated_id_keeps_its_first_row_and_is_no_garbage() -> None:
    body = json.dumps([*rows("a", context_length=1), *rows("a", context_length=2)]).encode()
    parsed = parse_list(ANY, "mine", "My gateway", [body])
    assert [(m.id, m.context_max) for m in parsed.models] == [("mine/a", 1)]
    assert parsed.dropped == 0


def test_the_rows_of_all_pages_are_read() -> None:
    assert parse({"data": rows("a")}, {"data": rows("b")}) == (["mine/a", "mine/b"], 0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!doctype html><title>Sign in</title>",
        b"{",
        b'{"error": {"message": "secret detail"}}',
        b'{"data": {"a": 1}}',
        b'"text"',
        b"7",
        b'{"data": [{"id": "caf\xe9"}]}',
        '{"data": []}'.encode("utf-16"),
        b"[" * 200_000,
        b"[{}, 7, null]",
    ],
    ids=["empty", "html", "cut", "error", "wrong-shape", "text", "number", "latin-1", "utf-16", "deep", "garbage-only"],
)
def test_a_body_that_is_no_list_fails_and_tells_nothing_of_itself(body: bytes) -> None:
    with pytest.raises(Malformed) as failed:
        parse_list(ANY, "mine", "My gateway", [body])
    assert "secret" not in failed.value.message
    assert failed.value.__cause__ is None


@pytest.mark.parametrize(
    ("row", "count"), [(b'{"id":"%d"}', MAX_ROWS + 1), (b'{"a":1}', 500_001), (b'{"id":"a","x":[[],[]]}', 125_001)]
)
def test_a_list_that_would_fill_the_memory_is_none(row: bytes, count: int) -> None:
    body = b"[" + b",".join(row % n if b"%" in row else row for n in range(count)) + b"]"
    with pytest.raises(Malformed, match="more than"):
        parse_list(ANY, "mine", "My gateway", [body])


def test_rows_count_over_all_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("upstream.parse.MAX_ROWS", 10)
    half = b"[" + b",".join(b'{"id":"%d"}' % n for n in range(6)) + b"]"
    with pytest.raises(Malformed, match="more than"):
        parse_list(ANY, "mine", "My gateway", [half, half])


def test_numbers_that_nobody_can_mean_are_not_said() -> None:
    body = b'[{"id": "a", "context_length": %s, "created": NaN, "pricing": {"prompt": 1e999999999999999999}}]'
    parsed = parse_list(ANY, "mine", "My gateway", [body % (b"9" * 5000)])
    assert [(m.context_max, m.released_at, m.price) for m in parsed.models] == [(None, None, None)]


def test_a_release_time_that_all_models_share_is_the_time_of_the_request() -> None:
    shared = json.dumps(rows("a", "b", "c", created=1767225600)).encode()
    few = json.dumps(rows("a", "b", created=1767225600)).encode()
    assert {m.released_at for m in parse_list(ANY, "m", "M", [shared]).models} == {None}
    assert None not in {m.released_at for m in parse_list(ANY, "m", "M", [few]).models}


def test_results_and_errors_pass_between_processes() -> None:
    parsed = parse_list(ANY, "mine", "My gateway", [json.dumps(rows("a")).encode()])
    assert pickle.loads(pickle.dumps(parsed)) == parsed  # noqa: S301  our own bytes
    error = pickle.loads(pickle.dumps(Malformed("Said.", retry_after=3.0)))  # noqa: S301  the same
    assert (error.message, error.retry_after) == ("Said.", 3.0)


@pytest.mark.process
def test_reading_lists_does_without_the_http_client() -> None:
    script = "import sys, upstream.parsing_child as p; p.adapters(); sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0  # noqa: S603  our own words


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["data", "id", "x"]), inner, max_size=3)
        ),
    ).map(lambda decoded: json.dumps(decoded).encode())
)
def test_any_body_is_a_list_or_malformed(body: bytes) -> None:
    for adapter in adapters().values():
        with contextlib.suppress(Malformed):
            parsed = parse_list(adapter, "mine", "My gateway", [body])
            assert all(facts.id.startswith("mine/") for facts in parsed.models)


def test_endpoints_are_read_only_where_they_are_published() -> None:
    with pytest.raises(LookupError):
        parse_endpoints(adapters()["requesty"], b"{}")
    with pytest.raises(Malformed):
        parse_endpoints(adapters()["openrouter"], b"[]")
    assert parse_endpoints(adapters()["openrouter"], b'{"data": {"endpoints": []}}') == ()

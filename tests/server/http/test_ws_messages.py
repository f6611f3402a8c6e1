"""Messages of graphql-transport-ws, read from text that may be anything."""

from contextlib import suppress

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.answer import Answer, Outcome
from server.http.ws_messages import (
    BadMessage,
    Complete,
    ConnectionInit,
    Ping,
    Pong,
    Subscribe,
    error_message,
    next_message,
    pong_message,
    read_message,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "id", "payload", "query", "variables", "operationName", "extensions"])
            | st.text(max_size=4),
            inner | st.sampled_from(["connection_init", "ping", "pong", "subscribe", "complete"]),
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_a_message_or_a_bad_message(value: object) -> None:
    with suppress(BadMessage):
        assert isinstance(
            read_message(orjson.dumps(value).decode()), ConnectionInit | Ping | Pong | Subscribe | Complete
        )


@given(st.text())
def test_any_text_is_a_message_or_a_bad_message(text: str) -> None:
    with suppress(BadMessage):
        read_message(text)


@pytest.mark.parametrize("depth", [100_000])
def test_deeply_nested_json_is_a_bad_message(depth: int) -> None:
    with pytest.raises(BadMessage):
        read_message("[" * depth + "]" * depth)


def test_a_payload_of_null_is_no_payload() -> None:
    assert read_message('{"type":"connection_init","payload":null}') == ConnectionInit({})
    assert read_message('{"type":"ping","payload":null}') == Ping(None)


def test_a_connection_init_keeps_its_payload_out_of_its_repr() -> None:
    assert "sk-canary" not in repr(
        read_message('{"type":"connection_init","payload":{"providerKeys":{"openrouter":"sk-canary"}}}')
    )


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"connection_init","payload":{"providerKeys":{"a":"key-one1","a":"key-two2"}}}',
        '{"type":"connection_init","payload":{},"payload":{"providerKeys":{"a":"key-one1"}}}',
    ],
)
def test_provider_keys_that_name_a_provider_twice_are_a_bad_message(text: str) -> None:
    with pytest.raises(BadMessage, match="each name once"):
        read_message(text)


def test_a_result_is_carried_byte_for_byte_under_an_escaped_id() -> None:
    body = '{"data":{"price":"0.10","name":"π"}}'
    frame = next_message('"quoted"\n', Answer(body.encode(), Outcome.OK))
    assert body in frame
    assert orjson.loads(frame)["id"] == '"quoted"\n'


def test_an_error_carries_the_errors_of_the_answer_as_an_array() -> None:
    frame = error_message("1", Answer(b'{"errors":[{"message":"no"}]}', Outcome.INVALID))
    assert orjson.loads(frame) == {"id": "1", "type": "error", "payload": [{"message": "no"}]}


def test_a_pong_without_payload_has_none() -> None:
    assert orjson.loads(pong_message(None)) == {"type": "pong"}

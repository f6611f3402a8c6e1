"""The cursor: what goes in comes out, and garbage is told kindly."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.errors import BadUserInput
from catalogue.position import Position, position_of


@given(st.text(alphabet="0123456789abcdef", min_size=1, max_size=32), st.integers(min_value=0, max_value=10**18 - 1))
def test_a_cursor_comes_back_as_it_was(epoch: str, seq: int) -> None:
    assert position_of(Position(epoch, seq).cursor) == Position(epoch, seq)


@given(st.text() | st.binary().map(lambda b: base64.urlsafe_b64encode(b).decode()))
def test_garbage_raises_bad_user_input_and_nothing_else(garbage: str) -> None:
    try:
        position = position_of(garbage)
    except BadUserInput as error:
        assert "cursor" in error.message  # noqa: PT017 - most garbage raises, and what does not must be a cursor
    else:
        assert position_of(position.cursor) == position


@pytest.mark.parametrize(
    "cursor", ["", "x", "=", "é", "a" * 10_000, Position("abc", 1).cursor + "\n", Position("abc", 1).cursor[:-1]]
)
def test_what_is_nearly_a_cursor_is_none(cursor: str) -> None:
    with pytest.raises(BadUserInput):
        position_of(cursor)


@pytest.mark.parametrize("text", ["abc", "ABC.1", "abc.", ".1", "abc.-1", "abc.1.1", "abc.१", "abc.1\n", "g.1"])
def test_another_text_in_the_right_wrapping_is_no_cursor(text: str) -> None:
    with pytest.raises(BadUserInput):
        position_of(base64.urlsafe_b64encode(text.encode()).decode().rstrip("="))

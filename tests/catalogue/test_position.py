"""Which positions of a log can be resumed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.position import Epoch, Position, Timeline

LOG = Timeline((Epoch("a", 1), Epoch("b", 11), Epoch("c", 11), Epoch("d", 21)))
"""Ten changes of a, none of b, ten of c, and what d has written since."""


@pytest.mark.parametrize(
    ("position", "held"),
    [
        (Position("a", 0), True),
        (Position("a", 10), True),
        (Position("a", 11), False),
        (Position("b", 9), False),
        (Position("b", 10), True),
        (Position("b", 11), False),
        (Position("c", 10), True),
        (Position("c", 20), True),
        (Position("c", 21), False),
        (Position("d", 20), True),
        (Position("d", 25), True),
        (Position("d", 26), False),
        (Position("z", 5), False),
    ],
)
def test_a_position_is_held_within_its_own_epoch_alone(position: Position, *, held: bool) -> None:
    assert LOG.holds(position, last=25) is held


def test_a_change_has_the_position_of_the_epoch_that_wrote_it() -> None:
    assert [LOG.at(seq).epoch for seq in (1, 10, 11, 20, 21, 99)] == ["a", "a", "c", "c", "d", "d"]


@given(st.integers(0, 25))
def test_the_position_of_every_change_is_held(seq: int) -> None:
    assert LOG.holds(LOG.at(seq), last=25)


def test_the_end_of_a_log_is_in_its_last_epoch_even_before_a_change_of_it() -> None:
    opened = LOG.opened("e", 26)
    assert opened.end(25) == Position("e", 25)
    assert opened.holds(Position("e", 25), last=25)
    assert opened.holds(Position("d", 25), last=25)
    assert not opened.holds(Position("d", 26), last=30)


def test_epochs_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="order"):
        LOG.opened("early", 3)

"""Large answers: written in pieces between which others run, and refused where they are larger than one may be."""

from collections import Counter
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.scope import Scope
from execution import encode
from execution.answer import Answer, Outcome
from execution.cooperative import ROWS_AT_ONCE
from execution.errors import AnswerTooLarge
from execution.limits import DocumentLimits
from tests.execution.test_seam import executor, prepared
from tests.resolvers.fakes import Ports
from tests.resolvers.world import facts, snapshot, state
from tests.turns import turns_beside

TEXT_LIMIT = 4_000
"""Characters of the longest description that is kept."""
LEAVES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=200)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=9), inner, max_size=8)
)


@given(value=VALUES)
def test_the_pieces_together_are_the_json_of_the_whole(value: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encode, "PIECE", 40)
        assert b"".join(encode.pieces(value)) == orjson.dumps(value)


@pytest.mark.parametrize("rows", [1, 3, 200])
def test_no_piece_is_much_larger_than_others_can_wait_for(rows: int) -> None:
    small = [{"id": str(number), "tags": ["a", "b"]} for number in range(10_000)]
    large = [{f"d{alias}": "x" * TEXT_LIMIT for alias in range(30)}] * rows
    value = {"data": {"small": small, "large": large, "nested": [{"models": [*large, *small]}] * 3}}
    assert max(map(len, encode.pieces(value))) < 3 * encode.PIECE


async def test_others_run_between_the_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode, "_SECONDS_AT_ONCE", 0)
    value = {"data": ["x" * encode.PIECE] * 50}
    with turns_beside() as turns:
        assert await encode.encode(value, 10**9) == orjson.dumps(value)
    assert turns.taken >= 50


async def test_an_answer_past_the_limit_is_given_up_as_soon_as_it_passes() -> None:
    with pytest.raises(AnswerTooLarge, match="more than 1000 bytes"):
        await encode.encode({"data": ["x" * encode.PIECE] * 10}, 1_000)


async def test_what_rows_wait_for_comes_in_turns_and_not_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = Ports(snapshot(state("alpha", [facts(f"alpha/m{number}") for number in range(300)])))
    run = executor(ports)
    at_once = Counter[int]()
    with turns_beside() as turns:
        monkeypatch.setattr("catalogue.history.uptime", lambda _: at_once.update([turns.taken]))
        answer = await run.execute(prepared(run, "{ models { provider { health { uptime } } } }"), Scope())
    assert answer.outcome is Outcome.OK
    assert at_once.total() == 300
    assert max(at_once.values()) <= ROWS_AT_ONCE
    assert len(ports.history.asked) == 1


async def ask(query: str, models: int, limits: DocumentLimits | None = None) -> tuple[Answer, Any]:
    wordy = [facts(f"alpha/m{number}", description="語" * TEXT_LIMIT, weights="one") for number in range(models)]
    run = executor(Ports(snapshot(state("alpha", wordy))), limits=limits)
    answer = await run.execute(prepared(run, query), Scope())
    return answer, orjson.loads(answer.body)


async def test_the_longest_texts_many_times_over_are_refused_with_the_remedy() -> None:
    query = f"{{ models {{ {' '.join(f'd{alias}: description' for alias in range(30))} }} }}"
    answer, told = await ask(query, models=400)
    assert answer.outcome is Outcome.INVALID
    [error] = told["errors"]
    assert error["extensions"] == {
        "code": "QUERY_TOO_COMPLEX",
        "measure": "bytes of the answer",
        "limit": 16 * 1024 * 1024,
    }
    assert "a page at a time" in error["message"]


async def test_lists_within_lists_that_multiply_more_than_their_cost_says_are_given_up() -> None:
    """A provider may claim that all its models are one and the same."""
    limits = DocumentLimits(answer_rows=5_000)
    answer, told = await ask("{ models { offers { offers { id } } } }", models=50, limits=limits)
    assert (answer.outcome, "data" in told) == (Outcome.INVALID, False)
    assert [error["extensions"]["measure"] for error in told["errors"]] == ["rows of the answer"]


async def test_an_ordinary_answer_is_as_large_as_it_is() -> None:
    answer, told = await ask("{ models { id description } }", models=300)
    assert (answer.outcome, len(told["data"]["models"])) == (Outcome.OK, 300)

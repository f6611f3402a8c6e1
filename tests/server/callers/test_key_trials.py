"""Trying keys: so many different ones of a provider a minute for each client, however often each comes."""

import pytest

from catalogue.errors import RateLimited
from server.callers.key_trials import MOST_KEYS, SECONDS, KeyTrials

ALICE, BOB = "address:192.0.2.1", "address:192.0.2.2"


class _Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def _exhausted(clock: _Clock) -> KeyTrials:
    trials = KeyTrials(clock=clock)
    for number in range(MOST_KEYS):
        trials.admit(ALICE, {"openrouter": str(number)})
    return trials


def test_one_key_too_many_is_refused_until_a_minute_has_passed() -> None:
    clock = _Clock()
    trials = _exhausted(clock)
    clock.now += 20
    with pytest.raises(RateLimited, match="keys of openrouter") as refused:
        trials.admit(ALICE, {"openrouter": "more"})
    assert refused.value.retry_after == pytest.approx(SECONDS - 20)
    clock.now += refused.value.retry_after
    trials.admit(ALICE, {"openrouter": "more"})


def test_the_same_keys_may_come_as_often_as_they_like() -> None:
    trials = _exhausted(_Clock())
    for number in range(MOST_KEYS):
        trials.admit(ALICE, {"openrouter": str(number)})


def test_other_clients_and_other_providers_are_counted_apart() -> None:
    trials = _exhausted(_Clock())
    trials.admit(BOB, {"openrouter": "more"})
    trials.admit(ALICE, {"requesty": "more"})


def test_a_refused_request_counts_none_of_its_keys() -> None:
    trials = _exhausted(_Clock())
    for number in range(MOST_KEYS):
        with pytest.raises(RateLimited):
            trials.admit(ALICE, {"requesty": f"refused-{number}", "openrouter": "more"})
    for number in range(MOST_KEYS):
        trials.admit(ALICE, {"requesty": str(number)})


def test_what_is_remembered_is_bounded() -> None:
    trials = KeyTrials(max_kept=10)
    for number in range(1_000):
        trials.admit(f"address:198.51.100.{number}", {"openrouter": "x"})
    assert len(trials._brought) == 10

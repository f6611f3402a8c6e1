"""A provider's health and breaker, step by step."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.health import Problem, Standing, admits, failed, hampered, probing, stumbled, succeeded
from catalogue.vocabulary import BreakerState, HealthStatus, ProviderErrorCode
from tests.catalogue.strategies import NOW, PROVIDER

STEP = timedelta(seconds=30)
NEW = Standing(provider_id=PROVIDER)


def problem(code: ProviderErrorCode = ProviderErrorCode.TIMEOUT) -> Problem:
    return Problem(code=code, message="No answer.", retryable=True, at=NOW)


def after(steps: str, start: Standing = NEW) -> Standing:
    """The standing after a run of calls, one every 30 s: s succeeded, f failed, h hampered."""
    standing = start
    for index, step in enumerate(steps, start=1):
        at = NOW + index * STEP
        if step == "s":
            standing = succeeded(standing, at=at, latency_ms=5.0)
        elif step == "f":
            standing = failed(standing, at=at, problem=problem())
        else:
            standing = hampered(standing, at=at, problem=problem(ProviderErrorCode.UNAUTHORIZED))
    return standing


@pytest.mark.parametrize(
    ("steps", "status", "breaker"),
    [
        ("", HealthStatus.UNKNOWN, BreakerState.CLOSED),
        ("s", HealthStatus.HEALTHY, BreakerState.CLOSED),
        ("f", HealthStatus.DEGRADED, BreakerState.CLOSED),
        ("sff", HealthStatus.DEGRADED, BreakerState.CLOSED),
        ("sfff", HealthStatus.DOWN, BreakerState.OPEN),
        ("sffffff", HealthStatus.DOWN, BreakerState.OPEN),
        ("fffs", HealthStatus.DOWN, BreakerState.HALF_OPEN),
        ("fffss", HealthStatus.HEALTHY, BreakerState.CLOSED),
        ("fffsf", HealthStatus.DOWN, BreakerState.OPEN),
        ("fffsfs", HealthStatus.DOWN, BreakerState.HALF_OPEN),
        ("fs", HealthStatus.DEGRADED, BreakerState.CLOSED),
        ("fss", HealthStatus.HEALTHY, BreakerState.CLOSED),
        ("h", HealthStatus.DEGRADED, BreakerState.CLOSED),
        ("hhhhhh", HealthStatus.DEGRADED, BreakerState.CLOSED),
        ("fffhh", HealthStatus.DEGRADED, BreakerState.CLOSED),
        ("hss", HealthStatus.HEALTHY, BreakerState.CLOSED),
    ],
)
def test_three_failures_take_down_and_two_successes_bring_back(
    steps: str, status: HealthStatus, breaker: BreakerState
) -> None:
    standing = after(steps)
    assert (standing.status, standing.breaker) == (status, breaker)


@pytest.mark.parametrize("pattern", ["sf", "sff"])
def test_a_flapping_provider_stays_degraded(pattern: str) -> None:
    standing = after("sf")
    for _ in range(10):
        for step in pattern:
            standing = after(step, standing)
            assert standing.status is HealthStatus.DEGRADED


def test_only_a_closed_breaker_admits_calls_on_demand() -> None:
    down = after("fff")
    assert not admits(down)
    assert probing(down).breaker is BreakerState.HALF_OPEN
    assert not admits(probing(down))
    assert admits(after("fffss"))


def test_a_probe_that_fails_opens_the_breaker_anew() -> None:
    again = failed(probing(after("fff")), at=NOW + timedelta(hours=1), problem=problem())
    assert again.breaker is BreakerState.OPEN


def test_one_that_is_down_and_answers_all_but_its_list_is_decided_on_by_its_next_answer() -> None:
    half_up = stumbled(after("fffs"), at=NOW + timedelta(hours=1), problem=problem())
    assert (half_up.status, half_up.breaker) == (HealthStatus.DOWN, BreakerState.HALF_OPEN)
    assert after("h", half_up).status is HealthStatus.DEGRADED
    assert after("f", half_up).breaker is BreakerState.OPEN


def test_a_closed_breaker_stays_closed_when_a_call_begins() -> None:
    standing = after("sf")
    assert probing(standing) is standing


def test_a_status_keeps_the_moment_at_which_it_began() -> None:
    assert after("sss").since == NOW + STEP
    assert after("sfff").since == NOW + 4 * STEP
    assert after("sffff").since == NOW + 4 * STEP
    assert after("sfffss").since == NOW + 6 * STEP


def test_an_error_is_kept_while_the_provider_recovers_and_gone_when_it_has() -> None:
    assert after("sfffs").error is not None
    assert after("sfffss").error is None


def test_a_problem_that_leaves_the_provider_usable_is_shown_while_it_is_healthy() -> None:
    note = problem(ProviderErrorCode.SUSPICIOUS)
    standing = succeeded(after("s"), at=NOW, latency_ms=1.0, note=note)
    assert (standing.status, standing.error) == (HealthStatus.HEALTHY, note)


def test_a_useless_answer_is_no_success_but_breaks_a_row_of_failures() -> None:
    standing = after("sffh")
    assert standing.last_success_at == NOW + STEP
    assert standing.last_checked == NOW + 4 * STEP
    assert standing.consecutive_failures == 0


@given(st.text(alphabet="sfh", max_size=30))
def test_the_standing_never_contradicts_itself(steps: str) -> None:
    standing = after(steps)
    assert (standing.breaker is BreakerState.CLOSED) == (standing.status is not HealthStatus.DOWN)
    assert standing.consecutive_failures == len(steps) - len(steps.rstrip("f"))
    assert not (standing.consecutive_failures and standing.consecutive_successes)
    if standing.status is not HealthStatus.HEALTHY and steps:
        assert standing.error is not None

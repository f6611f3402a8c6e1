"""How observations move a provider's state, step by step."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.health import Health, Problem, admits
from catalogue.listing import Listing, merged
from catalogue.observation import (
    Answered,
    CallFailed,
    Decided,
    Faulted,
    HeldBack,
    ListFailed,
    ListTaken,
    Observation,
    Plan,
    ProbeStarted,
)
from catalogue.provider import ProviderState
from catalogue.reducer import after
from catalogue.vocabulary import BreakerState, DataSource, HealthStatus, ProviderErrorCode
from tests.catalogue.strategies import HOUR, NOW, PROVIDER, listing, model, state

STEP = timedelta(seconds=30)
ROWS = listing(model("a"))
NEW = state(ROWS, health=Health(provider_id=PROVIDER))
DOWN = "fff"


def problem(code: ProviderErrorCode = ProviderErrorCode.TIMEOUT, message: str = "No answer.") -> Problem:
    return Problem(code=code, message=message, retryable=True, at=NOW)


REFUSED = problem(ProviderErrorCode.UNAUTHORIZED)
STEPS: dict[str, Observation] = {
    "s": Answered(latency_ms=5.0),
    "f": CallFailed(problem=problem()),
    "h": CallFailed(problem=REFUSED),
    "p": ProbeStarted(),
    "l": ListFailed(problem=problem()),
}
"""A probe succeeded, failed, was answered without being of use; one began; a list failed."""


def ran(steps: str, start: ProviderState = NEW) -> ProviderState:
    """The state after a run of observations, one every 30 s."""
    for index, step in enumerate(steps, start=1):
        start = after(start, STEPS[step], at=NOW + index * STEP)
    return start


def health_after(steps: str, start: ProviderState = NEW) -> Health:
    return ran(steps, start).health


def taken(of: Listing = ROWS, *, dropped: int | None = 0, problem: Problem | None = None) -> ListTaken:
    return ListTaken(listing=of, latency_ms=5.0, dropped=dropped, problem=problem)


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
    health = health_after(steps)
    assert (health.status, health.breaker) == (status, breaker)


@pytest.mark.parametrize("pattern", ["sf", "sff"])
def test_a_flapping_provider_stays_degraded(pattern: str) -> None:
    flapping = ran("sf")
    for _ in range(10):
        for step in pattern:
            flapping = ran(step, flapping)
            assert flapping.health.status is HealthStatus.DEGRADED


def test_only_a_closed_breaker_admits_calls_on_demand() -> None:
    assert not admits(health_after(DOWN))
    assert health_after("fffp").breaker is BreakerState.HALF_OPEN
    assert not admits(health_after("fffp"))
    assert admits(health_after("fffss"))


def test_a_probe_that_fails_opens_the_breaker_again() -> None:
    assert health_after("fffpf").breaker is BreakerState.OPEN


def test_one_that_is_down_and_answers_all_but_its_list_is_decided_on_by_its_next_answer() -> None:
    half_up = ran("fffsl")
    assert (half_up.health.status, half_up.health.breaker) == (HealthStatus.DOWN, BreakerState.HALF_OPEN)
    assert health_after("h", half_up).status is HealthStatus.DEGRADED
    assert health_after("f", half_up).breaker is BreakerState.OPEN


def test_a_closed_breaker_stays_closed_when_a_call_begins() -> None:
    assert health_after("sfp") == health_after("sf")


def test_a_status_keeps_the_moment_at_which_it_began() -> None:
    assert health_after("sss").since == NOW + STEP
    assert health_after("sfff").since == NOW + 4 * STEP
    assert health_after("sffff").since == NOW + 4 * STEP
    assert health_after("sfffss").since == NOW + 6 * STEP


def test_an_error_is_kept_while_the_provider_recovers_and_gone_when_it_has() -> None:
    assert health_after("sfffs").error is not None
    assert health_after("sfffss").error is None


def test_a_useless_answer_is_no_success_but_breaks_a_row_of_failures() -> None:
    health = health_after("sffh")
    assert health.last_success_at == NOW + STEP
    assert health.last_checked == NOW + 4 * STEP
    assert health.consecutive_failures == 0


@given(st.text(alphabet="sfhl", max_size=30))
def test_a_health_never_contradicts_itself(steps: str) -> None:
    health = health_after(steps)
    assert (health.breaker is BreakerState.CLOSED) == (health.status is not HealthStatus.DOWN)
    assert not (health.consecutive_failures and health.consecutive_successes)
    if health.status is not HealthStatus.HEALTHY and steps:
        assert health.error is not None


@given(st.text(alphabet="sfhlp", max_size=30))
def test_what_lasts_is_replaced_exactly_where_the_status_of_the_provider_moves(steps: str) -> None:
    before = NEW
    for step in steps:
        following = ran(step, before)
        assert (following.lasting is before.lasting) == (following.health.status is before.health.status)
        before = following


def test_a_problem_that_leaves_the_provider_usable_is_shown_while_it_is_healthy() -> None:
    suspicious = problem(ProviderErrorCode.SUSPICIOUS)
    held = after(ran("s"), HeldBack(quarantine=None, problem=suspicious, latency_ms=1.0), at=NOW)
    assert (held.health.status, held.health.error) == (HealthStatus.HEALTHY, suspicious)


IMPORTANCE: list[tuple[str, Observation]] = [
    ("dropped", taken(dropped=1, problem=problem(message="dropped"))),
    ("held", HeldBack(quarantine=None, problem=problem(message="held"), latency_ms=1.0)),
    ("ours", Faulted(problem=problem(message="ours"), of_list=True, lasts=True)),
    ("key", Answered(latency_ms=1.0, key=problem(message="key"))),
    ("check", Answered(latency_ms=1.0, key=problem(message="key"), check=problem(message="check"))),
    ("list", ListFailed(problem=problem(ProviderErrorCode.MALFORMED, message="list"))),
]
"""Each kind of problem, the least important first, by an observation that brings it."""


def test_of_all_that_is_wrong_the_most_important_is_shown() -> None:
    found = NEW
    for name, seen in IMPORTANCE:
        found = after(found, seen, at=NOW)
        assert found.health.error is not None
        assert found.health.error.message == name


def test_a_good_list_ends_every_problem_of_lists_and_none_of_checks() -> None:
    ill = NEW
    for _, seen in IMPORTANCE:
        ill = after(ill, seen, at=NOW)
    well = after(ill, taken(), at=NOW)
    assert well.health.problems.check is not None
    left = replace(well.health.problems, check=None, call=None)
    assert left.first is None


def test_a_provider_is_down_for_its_last_failure_not_for_an_earlier_garbled_list() -> None:
    garbled = after(NEW, ListFailed(problem=problem(ProviderErrorCode.MALFORMED, "garbled")), at=NOW)
    error = health_after("fff", garbled).error
    assert error is not None
    assert error.message == "No answer."


def test_a_list_that_is_the_same_moves_its_date_and_nothing_that_lasts() -> None:
    before = ran("ss")
    again = after(before, taken(before.listing), at=NOW + HOUR)
    assert again.lasting is before.lasting
    assert again.as_of == NOW + HOUR


def test_another_list_replaces_what_lasts_and_is_live() -> None:
    restored = replace(ran("ss"), confirmed=False)
    following = merged(restored.listing, [model("b")], at=NOW)
    found = after(restored, taken(following), at=NOW)
    assert found.listing is following
    assert (restored.source, found.source) == (DataSource.LAST_GOOD, DataSource.LIVE)


def test_an_accepted_list_is_as_old_as_it_is_and_a_discarded_one_is_named() -> None:
    late = NOW + HOUR
    held = after(ran("ss"), HeldBack(quarantine=None, problem=problem(message="held"), latency_ms=1.0), at=NOW)
    accepted = after(held, Decided(listing=listing(model("b")), as_of=NOW), at=late)
    assert (accepted.as_of, accepted.health.error) == (NOW, None)
    discarded = after(held, Decided(problem=problem(message="discarded")), at=late)
    assert discarded.health.error is not None
    assert discarded.health.error.message == "discarded"
    assert discarded.listing is held.listing


def test_a_fault_of_the_servers_own_moves_no_status_and_hides_no_failure() -> None:
    ours = Faulted(problem=problem(message="ours"), of_list=False, lasts=False)
    well, ill = after(ran("ss"), ours, at=NOW), after(ran("f"), ours, at=NOW)
    assert (well.health.status, ill.health.status) == (HealthStatus.HEALTHY, HealthStatus.DEGRADED)
    assert well.health.error is not None
    assert well.health.error.message == "ours"
    assert ill.health.error == health_after("f").error
    assert health_after("s", well).error is None


PLAN = Plan(list_at=datetime(2026, 5, 1, 13, tzinfo=NOW.tzinfo), probe_at=datetime(2026, 5, 1, 14, tzinfo=NOW.tzinfo))


@pytest.mark.parametrize(
    ("steps", "polled", "configured", "expected"),
    [
        ("ss", True, True, PLAN.list_at),
        ("fff", True, True, PLAN.probe_at),
        ("fffs", True, True, PLAN.list_at),
        ("ss", False, True, None),
        ("ff", False, True, PLAN.list_at),
        ("ss", True, False, None),
    ],
)
def test_the_next_check_is_a_list_or_a_probe_or_left_to_an_admin(
    steps: str, expected: datetime | None, *, polled: bool, configured: bool
) -> None:
    profile = replace(NEW.profile, polled=polled, configured=configured)
    start = ran(steps[:-1], replace(NEW, lasting=replace(NEW.lasting, profile=profile)))
    found = after(start, replace(STEPS[steps[-1]], plan=PLAN), at=NOW)
    assert found.health.next_check_at == expected

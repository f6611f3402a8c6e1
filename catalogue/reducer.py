"""The one function that moves a provider's state: from a state and an observation to the next state.

A failure (after its retries) makes a provider DEGRADED. Three in a row take it DOWN and open the breaker. Two successes
bring it back from either, so that a flapping provider does not flap here. While the breaker is open no call passes,
except for one probe when it is due (half-open).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from catalogue.health import FAILURES, FAILURES_TO_DOWN, ILL, SUCCESSES_TO_UP, Health, Problems
from catalogue.observation import (
    Answered,
    CallFailed,
    Decided,
    Faulted,
    HeldBack,
    ListFailed,
    ListTaken,
    Observation,
    ProbeStarted,
    Restored,
)
from catalogue.provider import ProviderState, is_watched, provider_state
from catalogue.vocabulary import BreakerState, HealthStatus


def after(state: ProviderState, seen: Observation, *, at: datetime) -> ProviderState:
    """The state after an observation. Where nothing moved that is published, `lasting` is the same object."""
    if isinstance(seen, Restored):
        return seen.state
    health, profile = _MOVES[type(seen)](state.health, seen, at), state.lasting.profile
    if (plan := seen.plan) is not None:
        due = min(plan.list_at, plan.probe_at) if health.takes_lists else plan.probe_at
        health = replace(health, next_check_at=due if is_watched(profile, health) else None)
    listing = seen.listing if isinstance(seen, ListTaken | Decided) else None
    if listing is None:
        return replace(state, health=health).at(at)
    as_of = seen.as_of if isinstance(seen, Decided) else at
    if listing is state.lasting.listing:
        return replace(state, health=health, as_of=as_of, confirmed=True).at(at)
    return provider_state(profile, listing, health, as_of=as_of, confirmed=True, now=at)


def _list_taken(health: Health, seen: ListTaken, at: datetime) -> Health:
    rows, dropped = health.dropped_rows, health.problems.dropped
    if seen.dropped is not None:
        rows, dropped = seen.dropped, seen.problem
    problems = replace(health.problems, list=None, ours=None, held=None, key=seen.key, dropped=dropped)
    known = replace(health, dropped_rows=rows, quarantine=None)
    return _helped(known, problems, at=at, latency_ms=seen.latency_ms)


def _held_back(health: Health, seen: HeldBack, at: datetime) -> Health:
    problems = replace(health.problems, list=None, ours=None, held=seen.problem, key=seen.key)
    return _helped(replace(health, quarantine=seen.quarantine), problems, at=at, latency_ms=seen.latency_ms)


def _list_failed(health: Health, seen: ListFailed, at: datetime) -> Health:
    problems = replace(health.problems, call=seen.problem, list=seen.problem, key=seen.key)
    # A provider that is down and answered a probe, but not with its list: the next probe decides.
    if seen.problem.code in FAILURES and health.is_half_up:
        return replace(health, last_checked=at, problems=problems)
    return _unhelped(health, seen, problems, at)


def _answered(health: Health, seen: Answered, at: datetime) -> Health:
    problems = replace(health.problems, check=seen.check, key=seen.key)
    return _helped(health, problems, at=at, latency_ms=seen.latency_ms)


def _call_failed(health: Health, seen: CallFailed, at: datetime) -> Health:
    return _unhelped(health, seen, replace(health.problems, call=seen.problem, key=seen.key), at)


def _unhelped(health: Health, seen: ListFailed | CallFailed, problems: Problems, at: datetime) -> Health:
    """Health after a failure, or after an answer of no use, such as a refused key or a garbled list."""
    if seen.problem.code in FAILURES:
        return _failed(health, problems, at=at)
    return _reached(health, HealthStatus.DEGRADED, problems, at=at)


def _faulted(health: Health, seen: Faulted, _: datetime) -> Health:
    if seen.lasts:
        return replace(health, problems=replace(health.problems, ours=seen.problem))
    return health if health.status in ILL else replace(health, problems=replace(health.problems, call=seen.problem))


def _decided(health: Health, seen: Decided, _: datetime) -> Health:
    return replace(health, quarantine=None, problems=replace(health.problems, held=seen.problem))


def _probing(health: Health, _: ProbeStarted, __: datetime) -> Health:
    return replace(health, breaker=BreakerState.HALF_OPEN) if health.breaker is BreakerState.OPEN else health


def _helped(health: Health, problems: Problems, *, at: datetime, latency_ms: float) -> Health:
    """Health after an answer. Only a readable list, a passed check and an accepted key make it HEALTHY."""
    if problems.list or problems.check or problems.key:
        return _reached(health, HealthStatus.DEGRADED, replace(problems, call=None), at=at)
    return replace(_reached(health, HealthStatus.HEALTHY, problems, at=at), last_success_at=at, latency_ms=latency_ms)


def _reached(health: Health, target: HealthStatus, problems: Problems, *, at: datetime) -> Health:
    # An answer of no use helps a provider out of DOWN, for it is reached, but never out of DEGRADED.
    counts = target is HealthStatus.HEALTHY or health.status is HealthStatus.DOWN
    successes = health.consecutive_successes + 1 if counts else 0
    status = health.status if health.status in ILL and successes < SUCCESSES_TO_UP else target
    return replace(
        health,
        status=status,
        since=at if status is not health.status else health.since,
        last_checked=at,
        consecutive_failures=0,
        consecutive_successes=successes,
        breaker=BreakerState.HALF_OPEN if status is HealthStatus.DOWN else BreakerState.CLOSED,
        problems=replace(problems, call=None) if status is HealthStatus.HEALTHY else problems,
    )


def _failed(health: Health, problems: Problems, *, at: datetime) -> Health:
    """Health after a call that failed through the provider's fault."""
    failures = health.consecutive_failures + 1
    down = failures >= FAILURES_TO_DOWN or health.status is HealthStatus.DOWN
    status = HealthStatus.DOWN if down else HealthStatus.DEGRADED
    return replace(
        health,
        status=status,
        since=at if status is not health.status else health.since,
        last_checked=at,
        consecutive_failures=failures,
        consecutive_successes=0,
        breaker=BreakerState.OPEN if down else BreakerState.CLOSED,
        problems=problems,
    )


_MOVES: Mapping[type[Observation], Callable[[Health, Any, datetime], Health]] = {
    ListTaken: _list_taken,
    HeldBack: _held_back,
    ListFailed: _list_failed,
    Answered: _answered,
    CallFailed: _call_failed,
    Faulted: _faulted,
    Decided: _decided,
    ProbeStarted: _probing,
}
"""What each observation means for a provider's health."""

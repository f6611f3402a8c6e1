"""A provider's health and its circuit breaker as one pure state machine.

A failure (after its retries) makes a provider DEGRADED, three in a row take it DOWN and open the breaker; two successes
bring it back from either, so that a flapping provider does not flap here. While the breaker is open no call passes.
When the provider's schedule says that its time has come, one probe does (half-open).
"""

from dataclasses import dataclass, replace
from datetime import datetime

from catalogue.vocabulary import BreakerState, HealthStatus, ProviderErrorCode

FAILURES_TO_DOWN = 3
SUCCESSES_TO_UP = 2

ILL = frozenset({HealthStatus.DOWN, HealthStatus.DEGRADED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with a provider, in words that may be shown to anyone."""

    code: ProviderErrorCode
    message: str
    retryable: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """A suspicious list that is held back until an admin decides."""

    id: str
    provider_id: str
    reason: str
    at: datetime
    model_count: int
    added: int
    removed: int
    repriced: int
    sample: tuple[str, ...] = ()
    """A few lines that say what it would change, for the admin who decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a provider stands now: health, last calls, breaker, and what is wrong."""

    provider_id: str
    status: HealthStatus = HealthStatus.UNKNOWN
    since: datetime | None = None
    """When the present status began."""
    last_checked: datetime | None = None
    last_success_at: datetime | None = None
    latency_ms: float | None = None
    """Of the last answered call, from request to end of body."""
    consecutive_failures: int = 0
    consecutive_successes: int = 0
    breaker: BreakerState = BreakerState.CLOSED
    next_check_at: datetime | None = None
    """When it is asked next, as planned after the last call; null where that is left to an admin."""
    error: Problem | None = None
    dropped_rows: int = 0
    """Rows of the last list that could not be read."""
    quarantine: Quarantine | None = None


def succeeded(standing: Standing, *, at: datetime, latency_ms: float, note: Problem | None = None) -> Standing:
    """The standing after a call that did what it should; `note` is a problem that leaves the provider healthy."""
    return replace(
        _answered(standing, HealthStatus.HEALTHY, at=at, problem=note), last_success_at=at, latency_ms=latency_ms
    )


def hampered(standing: Standing, *, at: datetime, problem: Problem) -> Standing:
    """The standing after a call that was answered without being of use, such as a refused key or a garbled list."""
    return _answered(standing, HealthStatus.DEGRADED, at=at, problem=problem)


def _answered(standing: Standing, status: HealthStatus, *, at: datetime, problem: Problem | None) -> Standing:
    # An answer of no use helps a provider out of DOWN, for it is reached, but never out of DEGRADED.
    counts = status is HealthStatus.HEALTHY or standing.status is HealthStatus.DOWN
    successes = standing.consecutive_successes + 1 if counts else 0
    recovering = standing.status in ILL and successes < SUCCESSES_TO_UP
    reached = standing.status if recovering else status
    return replace(
        standing,
        status=reached,
        since=at if reached is not standing.status else standing.since,
        last_checked=at,
        consecutive_failures=0,
        consecutive_successes=successes,
        breaker=BreakerState.HALF_OPEN if reached is HealthStatus.DOWN else BreakerState.CLOSED,
        error=problem or (standing.error if recovering else None),
    )


def failed(standing: Standing, *, at: datetime, problem: Problem) -> Standing:
    """The standing after a call that failed by the provider's fault."""
    failures = standing.consecutive_failures + 1
    down = failures >= FAILURES_TO_DOWN or standing.status is HealthStatus.DOWN
    status = HealthStatus.DOWN if down else HealthStatus.DEGRADED
    return replace(
        standing,
        status=status,
        since=at if status is not standing.status else standing.since,
        last_checked=at,
        consecutive_failures=failures,
        consecutive_successes=0,
        breaker=BreakerState.OPEN if down else BreakerState.CLOSED,
        error=problem,
    )


def stumbled(standing: Standing, *, at: datetime, problem: Problem) -> Standing:
    """The standing of one that is down and answered a probe, but not with its list: the next probe decides."""
    return replace(standing, last_checked=at, error=problem)


def admits(standing: Standing) -> bool:
    """Whether the breaker lets calls pass that are made because somebody asks."""
    return standing.breaker is BreakerState.CLOSED


def probing(standing: Standing) -> Standing:
    """The standing while the one probe of an open breaker is under way."""
    return replace(standing, breaker=BreakerState.HALF_OPEN) if standing.breaker is BreakerState.OPEN else standing

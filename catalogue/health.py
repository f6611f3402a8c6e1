"""A provider's health and circuit breaker, as values and the transitions between them.

A failure (after its retries) makes a provider DEGRADED. Three in a row take it DOWN and open the breaker. Two successes
bring it back from either, so that a flapping provider does not flap here. While the breaker is open no call passes,
except for one probe when the schedule says that its time has come (half-open).
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from catalogue.vocabulary import BreakerState, HealthStatus, ProviderErrorCode

FAILURES_TO_DOWN = 3
SUCCESSES_TO_UP = 2

ILL = frozenset({HealthStatus.DOWN, HealthStatus.DEGRADED})

FAILURES = frozenset({ProviderErrorCode.UNREACHABLE, ProviderErrorCode.TIMEOUT})
"""Errors that count towards DOWN. All others are answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that is wrong with a provider, in words that may be shown to anyone."""

    code: ProviderErrorCode
    message: str
    retryable: bool
    at: datetime
    retry_after: float | None = None
    """Seconds that the provider asked to wait, if it did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problems:
    """Everything that is wrong with a provider, the most important first. Readers are shown the first."""

    call: Problem | None = None
    """The last call failed. It is kept until the provider is well again, as the reason why it is not."""
    list: Problem | None = None
    """The last list could not be read."""
    check: Problem | None = None
    """The list can be read, but the health check fails."""
    key: Problem | None = None
    """The provider refuses the server's key."""
    ours: Problem | None = None
    """The last list could not be taken, by a fault of this server's."""
    held: Problem | None = None
    """The last list is held back, or was discarded by an admin."""
    dropped: Problem | None = None
    """Rows of the last list could not be read."""

    @property
    def first(self) -> Problem | None:
        """The most important problem."""
        return self.call or self.limiting or self.ours or self.held or self.dropped

    @property
    def limiting(self) -> Problem | None:
        """The problem that keeps a provider that answers from being of full use."""
        return self.list or self.check or self.key


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
class Health:
    """How a provider answers: status, last calls, breaker, and what is wrong."""

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
    """When the next call is planned. Null where that is left to an admin."""
    problems: Problems = field(default_factory=Problems)
    dropped_rows: int = 0
    """Rows of the last list that could not be read."""
    quarantine: Quarantine | None = None

    @property
    def error(self) -> Problem | None:
        """The problem that readers are shown."""
        return self.problems.first

    @property
    def is_half_up(self) -> bool:
        """Whether the provider is down and answered its last probe."""
        return self.status is HealthStatus.DOWN and self.consecutive_successes > 0

    @property
    def takes_lists(self) -> bool:
        """Whether lists are read on schedule. One that is down is only probed until it answers."""
        return self.status is not HealthStatus.DOWN or self.is_half_up


def answered(health: Health, problems: Problems, *, at: datetime, latency_ms: float) -> Health:
    """The health after a call that was answered."""
    if problems.limiting is not None:
        return unhelped(health, replace(problems, call=None), at=at)
    return replace(_reached(health, HealthStatus.HEALTHY, problems, at=at), last_success_at=at, latency_ms=latency_ms)


def unhelped(health: Health, problems: Problems, *, at: datetime) -> Health:
    """The health after an answer of no use, such as a refused key or a garbled list."""
    return _reached(health, HealthStatus.DEGRADED, problems, at=at)


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


def failed(health: Health, problems: Problems, *, at: datetime) -> Health:
    """The health after a call that failed through the provider's fault."""
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


def admits(health: Health) -> bool:
    """Whether the breaker lets calls pass that are made because somebody asks."""
    return health.breaker is BreakerState.CLOSED

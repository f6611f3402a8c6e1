"""A provider's health and circuit breaker. The transitions are in `catalogue.reducer`."""

from dataclasses import dataclass, field
from datetime import datetime

from catalogue.vocabulary import BreakerState, HealthStatus, ProviderErrorCode

FAILURES_TO_DOWN = 3
SUCCESSES_TO_UP = 2

ILL = frozenset({HealthStatus.DOWN, HealthStatus.DEGRADED})

FAILURES = frozenset({ProviderErrorCode.UNREACHABLE, ProviderErrorCode.TIMEOUT})
"""Errors that count towards DOWN. All others are answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that is wrong with a provider; the message is safe to show to anyone."""

    code: ProviderErrorCode
    message: str
    retryable: bool
    at: datetime
    retry_after: float | None = None
    """Seconds that the provider asked to wait, if it did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problems:
    """Everything that is wrong with a provider, the most important first. Readers see the first."""

    call: Problem | None = None
    """The last call failed. It is kept until the provider is well again, as the reason why it is not."""
    list: Problem | None = None
    """The last list could not be read."""
    check: Problem | None = None
    """The list can be read, but the health check fails."""
    key: Problem | None = None
    """The provider refuses the server's key."""
    ours: Problem | None = None
    """The last list could not be taken because of an error in this server."""
    held: Problem | None = None
    """The last list is held back, or was discarded by an admin."""
    dropped: Problem | None = None
    """Rows of the last list could not be read."""

    @property
    def first(self) -> Problem | None:
        """The most important problem."""
        return self.call or self.list or self.check or self.key or self.ours or self.held or self.dropped


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """Why a list is held back, and the changes that it would make."""

    reason: str
    added: int
    removed: int
    repriced: int
    sample: tuple[str, ...] = ()
    """A few of the changes, for the admin who decides; prices are per million tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine(Suspicion):
    """A suspicious list that is held back until an admin decides."""

    id: str
    provider_id: str
    at: datetime
    model_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a provider answers: status, last calls, breaker, and problems."""

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
    """When the next call is planned; null if that is left to an admin."""
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


def admits(health: Health) -> bool:
    """Whether the breaker lets calls pass that a request needs."""
    return health.breaker is BreakerState.CLOSED

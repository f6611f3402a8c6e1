"""Health over time: counted probes in buckets, uptime from them, and incidents."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from catalogue.vocabulary import ProviderErrorCode, UptimeWindow

WINDOWS: dict[UptimeWindow, tuple[timedelta, timedelta]] = {
    UptimeWindow.HOUR: (timedelta(hours=1), timedelta(minutes=1)),
    UptimeWindow.DAY: (timedelta(days=1), timedelta(hours=1)),
    UptimeWindow.WEEK: (timedelta(days=7), timedelta(hours=1)),
    UptimeWindow.QUARTER: (timedelta(days=90), timedelta(days=1)),
}
"""Each window's span and the width of its buckets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The result of one call that says something about a provider's health."""

    provider_id: str
    at: datetime
    ok: bool
    latency_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthBucket:
    """The probes of one span of time."""

    start: datetime
    end: datetime
    checks: int
    failures: int
    latency_ms: float | None = None
    """The mean of the answered probes; null when none was."""

    @property
    def uptime(self) -> float | None:
        """The share of probes that were answered, 0..1; null when there was none."""
        return (self.checks - self.failures) / self.checks if self.checks else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One time a provider was down."""

    id: str
    provider_id: str
    started_at: datetime
    ended_at: datetime | None = None
    """Null while it lasts."""
    code: ProviderErrorCode
    message: str


def uptime(buckets: Iterable[HealthBucket]) -> float | None:
    """The share of answered probes over some buckets, 0..1; null, not 1, when there is no data."""
    checks = failures = 0
    for bucket in buckets:
        checks += bucket.checks
        failures += bucket.failures
    return (checks - failures) / checks if checks else None

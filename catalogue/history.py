"""Health over time: probes and known time in buckets, uptime, and incidents."""

from collections.abc import Collection
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

LONGEST_SPAN = timedelta(minutes=20)
"""The state between two checks is unknown if they are further apart than this: twice the longest pause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The result of one call that counts for a provider's health."""

    provider_id: str
    at: datetime
    ok: bool
    latency_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The time from one check of a provider to the next. The earlier check gives its state."""

    provider_id: str
    start: datetime
    end: datetime
    up: bool


def span_between(earlier: Probe, later: Probe) -> Span | None:
    """The span between two checks of one provider; null where they are too far apart, or the clock went back."""
    if not timedelta(0) < later.at - earlier.at <= LONGEST_SPAN:
        return None
    return Span(provider_id=later.provider_id, start=earlier.at, end=later.at, up=earlier.ok)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthBucket:
    """The probes in one span of time, and how much of the span is known."""

    start: datetime
    end: datetime
    checks: int
    failures: int
    latency_ms: float | None = None
    """The mean of the answered probes; null without any."""
    seconds: float = 0.0
    """The part of the span for which the provider's state is known."""
    up: float = 0.0
    """The seconds of these in which the provider answered."""

    @property
    def uptime(self) -> float | None:
        """The uptime of this bucket."""
        return uptime([self])


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A time in which a provider was down."""

    id: str
    provider_id: str
    started_at: datetime
    ended_at: datetime | None = None
    """Null while it lasts."""
    code: ProviderErrorCode
    message: str


def uptime(buckets: Collection[HealthBucket]) -> float | None:
    """The share of the known time in which the provider answered, 0..1; null, not 1, when there is no data.

    Where no time is known, as after a single check, it is the share of answered probes.
    """
    if known := sum(bucket.seconds for bucket in buckets):
        return sum(bucket.up for bucket in buckets) / known
    checks = sum(bucket.checks for bucket in buckets)
    return (checks - sum(bucket.failures for bucket in buckets)) / checks if checks else None

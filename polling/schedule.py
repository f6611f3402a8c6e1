"""When a provider is asked next: two schedules, jittered so that providers do not march in step, and their delays."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from catalogue.health import FAILURES_TO_DOWN

KEY_PAUSE = timedelta(minutes=15)
"""How long a refused key is not tried again."""
MAX_PAUSE = timedelta(hours=1)
"""No provider keeps us waiting longer, whatever it says."""
_JITTER = 0.1
_FIRST_RETRY = timedelta(seconds=60)
_MAX_DOUBLINGS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How often a provider is asked."""

    list_ttl: timedelta = timedelta(seconds=600)
    health_ttl: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The next moments of one provider."""

    timing: Timing
    list_due: datetime
    probe_due: datetime
    list_failures: int = 0
    """Lists in a row that could not be had."""

    @property
    def due(self) -> datetime:
        """When the provider is asked next, for whatever reason."""
        return min(self.list_due, self.probe_due)

    def listed(self, now: datetime, rng: Random) -> "Schedule":
        """After a good list, which counts as a probe."""
        return replace(
            self,
            list_due=now + _jittered(self.timing.list_ttl, rng),
            probe_due=now + _jittered(self.timing.health_ttl, rng),
            list_failures=0,
        )

    def unlisted(self, now: datetime, rng: Random) -> "Schedule":
        """After a list that could not be had: again soon, then ever later, never later than a good one would be."""
        pause = min(self.timing.list_ttl, _FIRST_RETRY * (1 << min(self.list_failures, _MAX_DOUBLINGS)))
        return replace(
            self,
            list_due=now + _jittered(pause, rng),
            probe_due=now + _jittered(self.timing.health_ttl, rng),
            list_failures=self.list_failures + 1,
        )

    def probed(self, now: datetime, rng: Random) -> "Schedule":
        """After a probe."""
        return replace(self, probe_due=now + _jittered(self.timing.health_ttl, rng))

    def paused(self, until: datetime) -> "Schedule":
        """Not before a moment, for lists and probes alike."""
        return replace(self, list_due=max(self.list_due, until), probe_due=max(self.probe_due, until))

    def hurried(self, now: datetime) -> "Schedule":
        """The list is due at once."""
        return replace(self, list_due=min(self.list_due, now))


def cooldown(timing: Timing, failures: int) -> timedelta:
    """How long a breaker stays open after so many failures in a row: the health interval, doubled up to 10 minutes."""
    doublings = min(max(failures - FAILURES_TO_DOWN, 0), _MAX_DOUBLINGS)
    return min(timing.health_ttl * (1 << doublings), timedelta(minutes=10))


def _jittered(span: timedelta, rng: Random) -> timedelta:
    return span * (1 + _JITTER * (2 * rng.random() - 1))

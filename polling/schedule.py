"""When a provider is asked next: two schedules, jittered so that providers do not march in step, and their delays.

All moments are seconds of a clock that never goes back: a wall clock that is set back must not end polling.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

from catalogue.health import FAILURES_TO_DOWN

KEY_PAUSE = 15 * 60.0
"""Seconds for which a refused key is not tried again."""
MAX_PAUSE = 3600.0
"""No provider keeps us waiting longer, in seconds, whatever it says."""
_JITTER = 0.1
_FIRST_RETRY = 60.0
_LONGEST_INTERVAL = 600.0
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
    list_due: float
    probe_due: float
    list_failures: int = 0
    """Lists in a row that could not be had."""
    troubles: int = 0
    """Calls in a row, of whatever kind, that failed or were answered with nothing of use."""

    @property
    def due(self) -> float:
        """When the provider is asked next, for whatever reason."""
        return min(self.list_due, self.probe_due)

    def listed(self, now: float, rng: Random) -> "Schedule":
        """After a good list, which counts as a probe."""
        return replace(self.probed(now, rng), list_due=now + _jittered(self._list_ttl, rng), list_failures=0)

    def unlisted(self, now: float, rng: Random) -> "Schedule":
        """After a list that could not be had: again soon, then ever later, never later than a good one would be."""
        pause = min(self._list_ttl, _FIRST_RETRY * (1 << min(self.list_failures, _MAX_DOUBLINGS)))
        later = self.troubled(now, rng)
        return replace(later, list_due=now + _jittered(pause, rng), list_failures=self.list_failures + 1)

    def probed(self, now: float, rng: Random) -> "Schedule":
        """After a good probe."""
        return replace(self, probe_due=now + _jittered(self._health_ttl, rng), troubles=0)

    def troubled(self, now: float, rng: Random) -> "Schedule":
        """After a probe of no use: from the third in a row on, the interval doubles, up to ten minutes."""
        troubles = self.troubles + 1
        doublings = min(max(troubles - FAILURES_TO_DOWN, 0), _MAX_DOUBLINGS)
        interval = min(self._health_ttl * (1 << doublings), max(_LONGEST_INTERVAL, self._health_ttl))
        return replace(self, probe_due=now + _jittered(interval, rng), troubles=troubles)

    def paused(self, until: float) -> "Schedule":
        """Not before a moment, for lists and probes alike."""
        return replace(self, list_due=max(self.list_due, until), probe_due=max(self.probe_due, until))

    def list_hurried(self, now: float) -> "Schedule":
        """The list is due at once."""
        return replace(self, list_due=min(self.list_due, now))

    def probe_hurried(self, now: float) -> "Schedule":
        """The next probe is due at once."""
        return replace(self, probe_due=min(self.probe_due, now))

    @property
    def _list_ttl(self) -> float:
        return self.timing.list_ttl.total_seconds()

    @property
    def _health_ttl(self) -> float:
        return self.timing.health_ttl.total_seconds()


def _jittered(seconds: float, rng: Random) -> float:
    return seconds * (1 + _JITTER * (2 * rng.random() - 1))

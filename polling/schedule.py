"""When a provider is asked next: two schedules, jittered so that providers do not march in step, and their delays.

All moments are seconds of a clock that never goes back: a wall clock that is set back must not end polling.
"""

from dataclasses import dataclass
from datetime import timedelta
from random import Random

from catalogue.health import FAILURES_TO_DOWN
from catalogue.ports.clock import Clock

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


class Schedule:
    """The next moments of one provider; at first everything is due."""

    def __init__(self, *, timing: Timing, clock: Clock, rng: Random) -> None:
        self._list_ttl = timing.list_ttl.total_seconds()
        self._health_ttl = timing.health_ttl.total_seconds()
        self._clock = clock
        self._rng = rng
        self.list_due = self.probe_due = clock.monotonic()
        self._list_failures = 0
        """Lists in a row that could not be had."""
        self._troubles = 0
        """Calls in a row, of whatever kind, that failed or were answered with nothing of use."""

    @property
    def due(self) -> float:
        """When the provider is asked next, for whatever reason."""
        return min(self.list_due, self.probe_due)

    def listed(self) -> None:
        """A good list came, which counts as a probe."""
        self.probed()
        self.list_due = self._in_about(self._list_ttl)
        self._list_failures = 0

    def unlisted(self) -> None:
        """A list could not be had: again soon, then ever later, never later than a good one would be."""
        self.troubled()
        self.list_due = self._in_about(min(self._list_ttl, _doubled(_FIRST_RETRY, self._list_failures)))
        self._list_failures += 1

    def probed(self) -> None:
        """A probe was answered well."""
        self.probe_due = self._in_about(self._health_ttl)
        self._troubles = 0

    def troubled(self) -> None:
        """A probe was of no use: from the third in a row on, the interval doubles, up to ten minutes."""
        self._troubles += 1
        interval = _doubled(self._health_ttl, max(self._troubles - FAILURES_TO_DOWN, 0))
        self.probe_due = self._in_about(min(interval, max(_LONGEST_INTERVAL, self._health_ttl)))

    def pause(self, until: float) -> None:
        """Ask nothing before a moment."""
        self.list_due, self.probe_due = max(self.list_due, until), max(self.probe_due, until)

    def hurry_list(self) -> None:
        """Make the list due at once."""
        self.list_due = min(self.list_due, self._clock.monotonic())

    def hurry_probe(self) -> None:
        """Make the next probe due at once."""
        self.probe_due = min(self.probe_due, self._clock.monotonic())

    def _in_about(self, seconds: float) -> float:
        return self._clock.monotonic() + seconds * (1 + _JITTER * (2 * self._rng.random() - 1))


def _doubled(seconds: float, times: int) -> float:
    return seconds * (1 << min(times, _MAX_DOUBLINGS))

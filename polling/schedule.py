"""When a provider is called next: one schedule for lists and one for probes, with jitter so that calls spread out.

Moments are seconds of the monotonic clock, because a wall clock that is set back must not stop polling.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from catalogue.health import FAILURES_TO_DOWN
from catalogue.observation import Answered, CallFailed, Faulted, HeldBack, ListFailed, ListTaken, Observation, Plan
from catalogue.ports.clock import Clock
from catalogue.vocabulary import ProviderErrorCode
from upstream.server_key import KEY_PAUSE

MAX_PAUSE = 3600.0
"""Seconds; a provider that asks for a longer pause is called again after this one."""
_IDLE_SECONDS = 3600.0
_JITTER = 0.1
_FIRST_RETRY = 60.0
_LONGEST_INTERVAL = 600.0
_MAX_DOUBLINGS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How often a provider is called."""

    list_ttl: timedelta = timedelta(seconds=600)
    health_ttl: timedelta = timedelta(seconds=30)


class Schedule:
    """The next calls of one provider; at first both are due."""

    def __init__(self, *, timing: Timing, clock: Clock, rng: Random, needs_key: bool) -> None:
        self._needs_key = needs_key
        self._list_ttl = timing.list_ttl.total_seconds()
        self._health_ttl = timing.health_ttl.total_seconds()
        self._clock = clock
        self._rng = rng
        self.list_due = self.probe_due = clock.monotonic()
        self._list_failures = 0
        """Lists in a row that could not be read."""
        self._failures = 0
        """Calls in a row that failed or were answered with nothing of use."""

    @property
    def due(self) -> float:
        """The moment of the next call."""
        return min(self.list_due, self.probe_due)

    def note(self, seen: Observation, *, at: datetime) -> Plan:
        """Move the next calls by an observation, and return them by the wall clock, which shows `at`."""
        match seen:
            case ListTaken() | HeldBack():
                self._failures = self._list_failures = 0
                self.probe_due, self.list_due = self._in_about(self._health_ttl), self._in_about(self._list_ttl)
            case Answered(check=None):
                self._failures = 0
                self.probe_due = self._in_about(self._health_ttl)
            case ListFailed() | Faulted(of_list=True):
                self.unlisted()
            case Answered() | CallFailed() | Faulted():
                self._failed()
        if isinstance(seen, ListFailed | CallFailed):
            self._pause(seen)
        now = self._clock.monotonic()
        list_at, probe_at = (at + timedelta(seconds=max(due - now, 0.0)) for due in (self.list_due, self.probe_due))
        return Plan(list_at=list_at, probe_at=probe_at)

    def hurry(self, seen: Observation) -> None:
        """Call a provider that is half up once more at once: for its list after a probe, else by a probe."""
        now = self._clock.monotonic()
        if isinstance(seen, Answered):
            self.list_due = min(self.list_due, now)
        elif not (isinstance(seen, ListFailed) and seen.problem.retry_after is not None):
            self.probe_due = min(self.probe_due, now)

    def unlisted(self) -> None:
        """Retry a list that could not be read: the pause doubles up to the lifetime of a list."""
        self._failed()
        self.list_due = self._in_about(min(self._list_ttl, _doubled(_FIRST_RETRY, self._list_failures)))
        self._list_failures += 1

    def _failed(self) -> None:
        """From the third failure in a row on, the interval doubles, up to ten minutes."""
        self._failures += 1
        interval = _doubled(self._health_ttl, max(self._failures - FAILURES_TO_DOWN, 0))
        self.probe_due = self._in_about(min(interval, max(_LONGEST_INTERVAL, self._health_ttl)))

    def _pause(self, seen: ListFailed | CallFailed) -> None:
        """Wait as long as the provider asked, and longer where its limit is reached or it refuses the key."""
        seconds = min(seen.problem.retry_after or 0.0, MAX_PAUSE)
        if seen.problem.code is ProviderErrorCode.RATE_LIMITED:
            seconds = max(seconds, self._health_ttl)
        if seen.problem.code is ProviderErrorCode.UNAUTHORIZED and seen.key is not None and self._needs_key:
            seconds = max(seconds, KEY_PAUSE)
        until = self._clock.monotonic() + seconds
        self.list_due, self.probe_due = max(self.list_due, until), max(self.probe_due, until)

    def _in_about(self, seconds: float) -> float:
        return self._clock.monotonic() + seconds * (1 + _JITTER * (2 * self._rng.random() - 1))


async def rest(clock: Clock, until: float | None, moved: asyncio.Event) -> None:
    """Sleep until a moment of the monotonic clock, or until something moves; an hour at most."""
    moved.clear()
    wait = _IDLE_SECONDS if until is None else min(max(until - clock.monotonic(), 0.0), _IDLE_SECONDS)
    ends = {asyncio.create_task(clock.sleep(wait)), asyncio.create_task(moved.wait())}
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for end in ends:
            end.cancel()


def _doubled(seconds: float, times: int) -> float:
    return seconds * (1 << min(times, _MAX_DOUBLINGS))

"""Values that are read on demand: fresh, then stale while they are read again, then forgotten.

aiocache only stores them, and only this file knows it; lifetimes, the single flight, remembered failures and the bounds
are here. Values must be immutable: all readers get the same object.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Generic, TypeVar

import structlog
from aiocache import SimpleMemoryCache  # type: ignore[import-untyped]  # it ships no types
from cachetools import LRUCache

from catalogue.health import Problem
from catalogue.ports.clock import Clock
from catalogue.vocabulary import ProviderErrorCode
from polling.schedule import MAX_PAUSE
from polling.single_flight import Crowded, SingleFlight
from upstream import problems
from upstream.errors import Malformed, UpstreamError

V = TypeVar("V")

Read = Callable[[V | None], "Awaitable[V | Failure]"]
"""Reads a value, given the last one if it is still known; returns a failure instead of raising."""

_BUG_SECONDS = 30.0
_LONGEST_SECONDS = MAX_PAUSE

log = structlog.get_logger(__name__)


class Memory(Generic[V]):
    """Values in memory: at most `entries`, of at most `room` in weight; the least recently used one is dropped first.

    A value weighs at least a share of one entry, so that one bound holds for both.
    """

    def __init__(self, *, entries: int, weigh: Callable[[V], int] = lambda _: 0, room: int = 0) -> None:
        self._kept = SimpleMemoryCache(timeout=None)
        self._weights: LRUCache[str, float] = LRUCache(room or entries, getsizeof=lambda weight: weight)
        self._least = self._weights.maxsize / entries
        self._weigh = weigh

    def __len__(self) -> int:
        return len(self._weights)

    async def get(self, key: str) -> V | None:
        """The value, which makes it the most recently used one."""
        value: V | None = await self._kept.get(key)
        self._weights.get(key)
        return value

    async def put(self, key: str, value: V, *, seconds: float) -> None:
        """Keep a value; one that is heavier than the room fills it and is the only one kept."""
        if seconds <= 0:  # aiocache would keep it forever
            return
        # The timer of a value keeps the context that it was set in: a reader's would hold the reader's keys.
        await asyncio.create_task(self._kept.set(key, value, ttl=seconds), context=Context())
        before = set(self._weights)
        self._weights[key] = min(max(self._weigh(value), self._least), self._weights.maxsize)
        for dropped in before - self._weights.keys():
            await self._kept.delete(dropped)


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """The lifetimes of a value, in seconds."""

    fresh: float
    """A value, before it is read again."""
    stale: float = 0.0
    """After that: a value, while it is read again or cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A value that could not be read, and for how many seconds it is not tried again."""

    problem: Problem
    seconds: float


def failure_of(error: UpstreamError, *, at: datetime, seconds: float) -> Failure:
    """The failure for an upstream error: it lasts for some seconds, or as long as the provider asked to wait."""
    asked = min(error.retry_after or 0.0, _LONGEST_SECONDS)
    return Failure(problem=problems.of_error(error, at=at), seconds=max(seconds, asked))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Generic[V]):
    """A value, the reason why there is none, or neither while it is still being read."""

    value: V | None = None
    read_at: datetime | None = None
    failure: Failure | None = None
    """Why the last try failed; a value beside it is from before."""
    waited: bool = False
    """Whether a provider was waited for."""

    def refused(self) -> Problem | None:
        """The provider's problem if it refused the key."""
        problem = self.failure.problem if self.failure else None
        return problem if problem and problem.code is ProviderErrorCode.UNAUTHORIZED else None


class Cache(Generic[V]):
    """Values by key, each read by one flight at a time."""

    def __init__(self, storage: Memory[Found[V]], *, windows: Windows, flights: int, clock: Clock) -> None:
        self._storage = storage
        self._windows = windows
        self._flights = SingleFlight[Found[V]](at_most=flights)
        self._clock = clock

    async def get(self, key: str, read: Read[V] | None, *, wait: float) -> Found[V]:
        """The value of a key, read if necessary; returns within `wait` seconds, while the flight goes on.

        Without `read`, or if too many flights are under way, only the value that is already there.
        """
        found = await self._known(key)
        if read is None or self._settled(found):
            return found
        try:
            seat = self._flights.join(key, partial(self._fly, key, read))
        except Crowded:
            return found
        if found.value is not None:
            seat.cancel()
            return found
        return await self._seated(seat, wait)

    async def close(self) -> None:
        """End all flights."""
        await self._flights.close()

    async def _seated(self, seat: asyncio.Future[Found[V]], wait: float) -> Found[V]:
        alarm = asyncio.ensure_future(self._clock.sleep(wait))
        try:
            await asyncio.wait((seat, alarm), return_when=asyncio.FIRST_COMPLETED)
            landed = seat.done() and not seat.cancelled()
            return replace(seat.result() if landed else Found(), waited=True)
        finally:
            alarm.cancel()
            seat.cancel()

    async def _fly(self, key: str, read: Read[V]) -> Found[V]:
        before = await self._known(key)
        if self._settled(before):  # a storage takes time to ask: another flight landed meanwhile
            return before
        found = self._after(before, await self._outcome(read, before.value))
        await self._storage.put(key, found, seconds=self._lifetime(found))
        return found

    async def _outcome(self, read: Read[V], before: V | None) -> V | Failure:
        try:
            return await read(before)
        except Exception as error:  # noqa: BLE001  a bug in reading one thing must not fail the answers that show it
            # An exception's text may quote a request, and with it a key: only its kind is logged.
            log.error("reading_failed", kind=type(error).__name__)  # noqa: TRY400  the same goes for its trace
            shown = Malformed("The provider's answer could not be understood.")
            return failure_of(shown, at=self._clock.now(), seconds=_BUG_SECONDS)

    def _after(self, before: Found[V], outcome: V | Failure) -> Found[V]:
        if not isinstance(outcome, Failure):
            return Found(value=outcome, read_at=self._clock.now())
        failed = replace(before, failure=outcome)
        # A caller whose key is refused no longer sees the value.
        return Found(failure=outcome) if failed.refused() else failed

    async def _known(self, key: str) -> Found[V]:
        found = await self._storage.get(key) or Found()
        if found.read_at is not None and self._age(found.read_at) >= self._windows.fresh + self._windows.stale:
            found = replace(found, value=None, read_at=None)
        if found.failure is not None and self._age(found.failure.problem.at) >= found.failure.seconds:
            found = replace(found, failure=None)
        return found

    def _settled(self, found: Found[V]) -> bool:
        fresh = found.read_at is not None and self._age(found.read_at) < self._windows.fresh
        return fresh or found.failure is not None

    def _lifetime(self, found: Found[V]) -> float:
        value = self._windows.fresh + self._windows.stale - self._age(found.read_at) if found.read_at else 0.0
        return max(value, found.failure.seconds if found.failure else 0.0)

    def _age(self, at: datetime) -> float:
        return (self._clock.now() - at) / timedelta(seconds=1)

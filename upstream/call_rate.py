"""Rate limit for calls to one provider: a token bucket that serves waiters by priority, then by arrival.

The bucket holds `burst` tokens and refills at `requests_per_minute - burst` a minute, so that any 60 seconds see at
most `requests_per_minute` calls.
"""

import asyncio
import heapq
import itertools
from enum import IntEnum

from catalogue.ports.clock import Clock

MAX_WAITERS = 1_000
"""Calls that may queue for one provider."""


class Priority(IntEnum):
    """The order in which waiting calls are served, lowest first."""

    ADMIN = 0
    POLL = 1
    DEMAND = 2
    PROBE = 3


class CallRateExceeded(Exception):
    """The queue for the provider is full."""


class CallRateLimiter:
    """Limits the rate of calls to one provider; `burst` is capped at half of `requests_per_minute`."""

    def __init__(self, *, requests_per_minute: int, burst: int, clock: Clock) -> None:
        self._capacity = max(1, min(burst, requests_per_minute // 2))
        self._per_second = max(requests_per_minute - self._capacity, 1) / 60
        self._tokens = float(self._capacity)
        self._clock = clock
        self._filled_at = clock.monotonic()
        self._order = itertools.count()
        self._waiters: list[tuple[Priority, int, asyncio.Future[None]]] = []
        self._server: asyncio.Task[None] | None = None

    async def wait(self, priority: Priority) -> None:
        """Wait until a call may be sent; raises CallRateExceeded if the queue is full."""
        if not self._waiters and self._take():
            return
        if len(self._waiters) >= MAX_WAITERS:
            raise CallRateExceeded
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiters, (priority, next(self._order), turn))
        if self._server is None or self._server.done():
            self._server = asyncio.create_task(self._serve(), name="call-rate-limiter")
        await turn

    def _take(self) -> bool:
        now = self._clock.monotonic()
        self._tokens = min(self._capacity, self._tokens + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    async def _serve(self) -> None:
        while self._waiters:
            if self._waiters[0][2].done():  # its caller was cancelled
                heapq.heappop(self._waiters)
            elif self._take():
                heapq.heappop(self._waiters)[2].set_result(None)
            else:
                await self._clock.sleep((1 - self._tokens) / self._per_second)

    async def close(self) -> None:
        """Cancel all waiting calls."""
        if self._server is not None:
            self._server.cancel()
            await asyncio.gather(self._server, return_exceptions=True)
        for _, _, turn in self._waiters:
            turn.cancel()
        self._waiters.clear()

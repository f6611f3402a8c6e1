"""Calls to one provider: rate limited, retried, with a timeout for each try and a time budget for the whole call.

The layers around a call are single-flight, circuit breaker, retry, rate limit, HTTP. The first two belong to callers.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Protocol

import aiohttp
import stamina

from catalogue.ports.clock import Clock
from upstream.call_rate import CallRateExceeded, CallRateLimiter, Priority
from upstream.errors import Throttled, TimedOut, UpstreamError
from upstream.http import ReadLimits, Response, get
from upstream.lists import Call
from upstream.upstream import Upstream

_MAX_BACKOFF_SECONDS = 10.0


def _ignore(_: object) -> None:
    """Report nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPolicy:
    """Priority, time budget and retries of a call."""

    priority: Priority
    budget: float
    """Seconds for the whole call, waits and retries included."""
    retries: int | None = None
    """Maximum retries; null uses the provider's configuration."""
    patience: float = inf
    """Seconds after which no new try starts."""
    enough: int | None = None
    """Stop reading the body after about this many bytes."""
    received: Callable[[int], None] = _ignore
    """Called with the number of bytes received so far."""
    failing: Callable[[UpstreamError], None] = _ignore
    """Called with the error of each failed try."""


class CallSource(Protocol):
    """Makes the functions that call one provider."""

    def at(self, policy: CallPolicy) -> Call:
        """A function that calls the provider with this policy."""

    async def close(self) -> None:
        """Cancel waiting calls."""


class Calls:
    """Calls to one provider over HTTP, which share one rate limit."""

    def __init__(self, *, upstream: Upstream, session: aiohttp.ClientSession, clock: Clock) -> None:
        limits = upstream.calls
        self._upstream = upstream
        self._session = session
        self._clock = clock
        self._limiter = CallRateLimiter(requests_per_minute=limits.requests_per_minute, burst=limits.burst, clock=clock)

    def at(self, policy: CallPolicy) -> Call:
        """A function that calls the provider with this policy."""
        return partial(self._call, policy)

    async def _call(self, policy: CallPolicy, url: str, headers: Mapping[str, str]) -> Response:
        limits = self._upstream.calls
        turn = partial(self._limiter.wait, policy.priority)
        reading = ReadLimits(
            timeout=limits.timeout, enough=policy.enough, received=policy.received, before_redirect=turn
        )
        try:
            async with asyncio.timeout(policy.budget):
                async for attempt in stamina.retry_context(
                    on=self._retry_decision(policy),
                    attempts=1 + (limits.max_retries if policy.retries is None else policy.retries),
                    timeout=policy.budget,
                    wait_initial=limits.backoff_ms / 1000,
                    wait_max=_MAX_BACKOFF_SECONDS,
                    wait_jitter=limits.backoff_ms / 1000,
                ):
                    with attempt:
                        await turn()
                        return await get(self._session, url, headers, reading)
        except TimeoutError:
            raise TimedOut(f"{self._upstream.name} did not answer within {policy.budget:g} s.") from None
        except CallRateExceeded:
            raise Throttled(f"Too many calls to {self._upstream.name} are waiting.", retry_after=60.0) from None
        raise AssertionError  # the last attempt returns or raises

    def _retry_decision(self, policy: CallPolicy) -> Callable[[Exception], bool | float]:
        """Decides whether an error is retried, or after how many seconds."""
        last_try = self._clock.monotonic() + min(policy.budget, policy.patience)

        def again(error: Exception) -> bool | float:
            if not isinstance(error, UpstreamError):
                return False
            policy.failing(error)
            # stamina does not bound a delay that is returned here, so a delay past the last try must end the call.
            if not error.retryable or self._clock.monotonic() + (error.retry_after or 0.0) >= last_try:
                return False
            return True if error.retry_after is None else error.retry_after

        return again

    async def close(self) -> None:
        """Cancel waiting calls."""
        await self._limiter.close()

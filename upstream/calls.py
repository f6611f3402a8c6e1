"""Calls to one provider: paced, retried, each try timed, the whole bounded.

The order around one upstream call is single-flight, breaker, pace, retry, HTTP; the first two belong to the callers.
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
from upstream.http import Response, get
from upstream.lists import Call
from upstream.upstream import Upstream

_MAX_BACKOFF_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPolicy:
    """How calls are made: in what order, for how long, and how often they are retried."""

    priority: Priority
    budget: float
    """Seconds within which all that one call does ends, waiting included."""
    retries: int | None = None
    """How often to try again; as the provider's configuration says where that is not given."""
    patience: float = inf
    """Seconds after which no new try begins."""
    enough: int | None = None
    """Of a body, no more than about so many bytes are read."""
    received: Callable[[int], None] | None = None
    """Is told how many bytes have come so far."""
    failing: Callable[[UpstreamError], None] | None = None
    """Is told of each try that failed."""


class CallSource(Protocol):
    """Where a provider's ways to call come from."""

    def at(self, policy: CallPolicy) -> Call:
        """A way to call."""

    async def close(self) -> None:
        """Stop waiting calls."""


class Calls:
    """One provider's calls over HTTP, which share one pace."""

    def __init__(self, *, upstream: Upstream, session: aiohttp.ClientSession, clock: Clock) -> None:
        limits = upstream.calls
        self._upstream = upstream
        self._session = session
        self._clock = clock
        self._limiter = CallRateLimiter(requests_per_minute=limits.requests_per_minute, burst=limits.burst, clock=clock)

    def at(self, policy: CallPolicy) -> Call:
        """A way to call."""

        async def call(url: str, headers: Mapping[str, str]) -> Response:
            try:
                async with asyncio.timeout(policy.budget):
                    return await self._retried(url, headers, policy)
            except TimeoutError:
                raise TimedOut(f"{self._upstream.name} did not answer within {policy.budget:g} s.") from None
            except CallRateExceeded:
                raise Throttled(f"Too many calls wait for {self._upstream.name}.", retry_after=60.0) from None

        return call

    async def _retried(self, url: str, headers: Mapping[str, str], policy: CallPolicy) -> Response:
        limits = self._upstream.calls
        last_try = self._clock.monotonic() + min(policy.budget, policy.patience)

        def again(error: Exception) -> bool | float:
            if not isinstance(error, UpstreamError):
                return False
            if policy.failing is not None:
                policy.failing(error)
            # stamina adds neither jitter nor a bound to a delay given here, so one past the last try ends the flight.
            if not error.retryable or self._clock.monotonic() + (error.retry_after or 0.0) >= last_try:
                return False
            return True if error.retry_after is None else error.retry_after

        first = limits.backoff_ms / 1000
        async for attempt in stamina.retry_context(
            on=again,
            attempts=1 + (limits.max_retries if policy.retries is None else policy.retries),
            timeout=policy.budget,
            wait_initial=first,
            wait_max=_MAX_BACKOFF_SECONDS,
            wait_jitter=first,
        ):
            with attempt:
                await self._limiter.wait(policy.priority)
                return await get(
                    self._session,
                    url,
                    headers=headers,
                    enough=policy.enough,
                    timeout=limits.timeout,
                    progress=policy.received,
                    before_redirect=partial(self._limiter.wait, policy.priority),
                )
        raise AssertionError  # the last attempt returns or raises

    async def close(self) -> None:
        """Stop waiting calls."""
        await self._limiter.close()

"""Calls to one provider: paced, retried, each try timed, the whole bounded.

The order around one upstream call is single-flight, breaker, pace, retry, HTTP; the first two belong to the callers.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

import aiohttp
import stamina

from polling.clock import Clock
from polling.pace import Pace, PaceExceededError, Priority
from providers._kit.errors import Throttled, TimedOut, UpstreamError
from providers._kit.http import Response, get
from providers._kit.lists import Call
from providers._kit.upstream import Upstream

_MAX_BACKOFF_SECONDS = 10.0

Received = Callable[[int], None]
"""Is told how many bytes have come so far."""


class CallSource(Protocol):
    """Where a provider's ways to call come from."""

    def at(
        self,
        priority: Priority,
        *,
        budget: float,
        retries: int | None = None,
        enough: int | None = None,
        progress: Received | None = None,
    ) -> Call:
        """A way to call at a priority; all that one call does, waiting included, ends within `budget` seconds.

        Of a body, no more than about `enough` bytes are read where that is given.
        """

    async def close(self) -> None:
        """Stop waiting calls."""


class Calls:
    """One provider's calls over HTTP, which share one pace."""

    def __init__(self, *, upstream: Upstream, session: aiohttp.ClientSession, clock: Clock) -> None:
        limits = upstream.calls
        self._upstream = upstream
        self._session = session
        self._clock = clock
        self._pace = Pace(requests_per_minute=limits.requests_per_minute, burst=limits.burst, clock=clock)

    def at(
        self,
        priority: Priority,
        *,
        budget: float,
        retries: int | None = None,
        enough: int | None = None,
        progress: Received | None = None,
    ) -> Call:
        """A way to call at a priority; all that one call does, waiting included, ends within `budget` seconds.

        Of a body, no more than about `enough` bytes are read where that is given.
        """

        async def call(url: str, headers: Mapping[str, str]) -> Response:
            try:
                async with asyncio.timeout(budget):
                    return await self._retried(
                        url,
                        headers,
                        priority=priority,
                        budget=budget,
                        retries=retries,
                        enough=enough,
                        progress=progress,
                    )
            except TimeoutError:
                raise TimedOut(f"{self._upstream.name} did not answer within {budget:g} s.") from None
            except PaceExceededError:
                raise Throttled(f"Too many calls wait for {self._upstream.name}.", retry_after=60.0) from None

        return call

    async def _retried(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        priority: Priority,
        budget: float,
        retries: int | None,
        enough: int | None,
        progress: Received | None,
    ) -> Response:
        limits = self._upstream.calls
        deadline = self._clock.monotonic() + budget

        def again(error: Exception) -> bool | float:
            # stamina adds neither jitter nor a bound to a delay given here, so one past the deadline ends the flight.
            if not isinstance(error, UpstreamError) or not error.retryable:
                return False
            if error.retry_after is None:
                return True
            return error.retry_after if self._clock.monotonic() + error.retry_after < deadline else False

        first = limits.backoff_ms / 1000
        async for attempt in stamina.retry_context(
            on=again,
            attempts=1 + (limits.max_retries if retries is None else retries),
            timeout=budget,
            wait_initial=first,
            wait_max=_MAX_BACKOFF_SECONDS,
            wait_jitter=first,
        ):
            with attempt:
                await self._pace.wait(priority)
                return await get(
                    self._session,
                    url,
                    headers=headers,
                    enough=enough,
                    timeout=limits.timeout,
                    progress=progress,
                    before_redirect=partial(self._pace.wait, priority),
                )
        raise AssertionError  # the last attempt returns or raises

    async def close(self) -> None:
        """Stop waiting calls."""
        await self._pace.close()

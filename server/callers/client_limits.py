"""The limits of each client: a steady rate of requests with a burst, and a number of things at once."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Protocol

from catalogue.errors import RateLimited
from catalogue.ports.limits import Allowance
from server.callers.addresses import LOCAL
from server.callers.rate_limiter import RateLimiter
from server.callers.refusals import Refusals
from server.config.limits import Limits

MAX_CLIENTS = 20_000
"""Clients whose rate is remembered; one takes some 250 bytes."""
PROBE_INTERVAL = 0.2
"""Seconds between health probes that do not count against a client's rate."""
PROBE_BURST = 20
"""Such probes at once."""


class HasClient(Protocol):
    """A caller, as limits know it."""

    @property
    def client(self) -> str:
        """The client that limits count it as."""


@dataclass(frozen=True, slots=True)
class Quota:
    """How much of its rate a client has left."""

    limit: int
    """Requests that it may send at once after a pause."""
    remaining: int
    reset_after: float
    """Seconds until `limit` requests are available again."""


class ClientLimits:
    """The limits of all clients; `clock` gives monotonic seconds, `refusals` delays refusals."""

    def __init__(
        self,
        limits: Limits,
        *,
        exempt_loopback: bool,
        clock: Callable[[], float] = time.monotonic,
        max_clients: int = MAX_CLIENTS,
        refusals: Refusals | None = None,
    ) -> None:
        self.refusals = refusals or Refusals()
        self._limits = limits
        self._exempt_loopback = exempt_loopback
        self._rate = RateLimiter(60.0 / limits.requests_per_minute, limits.burst, clock=clock, most=max_clients)
        self._probes = RateLimiter(PROBE_INTERVAL, PROBE_BURST, clock=clock, most=max_clients)
        self._requests: Counter[str] = Counter()
        self._connections: Counter[str] = Counter()
        self._subscriptions: Counter[str] = Counter()

    def exempts(self, client: str) -> bool:
        """Whether no limit holds for a client: it is named by an address of this machine."""
        is_local = client in {LOCAL, "address:::1"} or client.startswith("address:127.")
        return self._exempt_loopback and is_local

    def spend(self, client: str) -> None:
        """Count one request.

        Raises:
            RateLimited: the client has to wait first.
        """
        if self.exempts(client):
            return
        wait = self._rate.count(client)
        if wait:
            raise RateLimited(
                f"Too many requests: {self._limits.requests_per_minute} a minute are allowed. "
                f"Try again in {ceil(wait)} s.",
                retry_after=wait,
            )

    def allows_probe(self, client: str) -> bool:
        """Count a health probe; False if it has to count as a request."""
        return self.exempts(client) or not self._probes.count(client)

    def quota(self, client: str) -> Quota | None:
        """The remaining rate of a client; null where no limit applies."""
        if self.exempts(client):
            return None
        reset_after = self._rate.reset_after(client)
        used = ceil(reset_after / self._rate.interval - 1e-6)
        return Quota(self._limits.burst, max(self._limits.burst - used, 0), reset_after)

    def allowance(self, client: str) -> Allowance:
        """The remaining rate for a GraphQL answer, with the cost limit of an operation."""
        quota = self.quota(client)
        if quota is None:
            return Allowance(cost_limit=self._limits.cost)
        return Allowance(
            limit=quota.limit,
            remaining=quota.remaining,
            reset_at=datetime.now(UTC) + timedelta(seconds=quota.reset_after),
            cost_limit=self._limits.cost,
        )

    def headers(self, client: str) -> dict[str, str]:
        """The `RateLimit` headers of an answer, as in the IETF draft and in the older, separate form."""
        quota = self.quota(client)
        if quota is None:
            return {}
        limit, left, reset = quota.limit, quota.remaining, ceil(quota.reset_after)
        return {
            "RateLimit-Policy": f'"burst";q={limit};w={ceil(limit * self._rate.interval)}',
            "RateLimit": f'"burst";r={left};t={reset}',
            "RateLimit-Limit": str(limit),
            "RateLimit-Remaining": str(left),
            "RateLimit-Reset": str(reset),
        }

    def request(self, caller: HasClient) -> AbstractAsyncContextManager[None]:
        """Hold the place of a request until it is answered, or becomes an event stream."""
        return self._place(self._requests, caller.client, self._limits.concurrent_requests, "requests at once")

    def connection(self, caller: HasClient) -> AbstractAsyncContextManager[None]:
        """Hold the place of an open WebSocket."""
        return self._place(self._connections, caller.client, self._limits.connections, "open connections")

    def subscription(self, caller: HasClient) -> AbstractAsyncContextManager[None]:
        """Hold the place of an event stream."""
        return self._place(self._subscriptions, caller.client, self._limits.subscriptions, "running subscriptions")

    @asynccontextmanager
    async def operation(self, caller: HasClient) -> AsyncIterator[None]:
        """Count an operation on a WebSocket like a request, and hold its place while it runs; refusals are delayed."""
        async with AsyncExitStack() as place:
            try:
                self.spend(caller.client)
                await place.enter_async_context(self.subscription(caller))
            except RateLimited:
                await self.refusals.hold(caller.client)
                raise
            yield

    @asynccontextmanager
    async def _place(self, taken: Counter[str], client: str, limit: int, things: str) -> AsyncIterator[None]:
        if self.exempts(client):
            yield
            return
        if taken[client] >= limit:
            raise RateLimited(f"Too many {things}: {limit} are allowed. Wait until one ends.", retry_after=1.0)
        taken[client] += 1
        try:
            yield
        finally:
            taken[client] -= 1
            if not taken[client]:
                del taken[client]

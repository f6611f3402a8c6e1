"""Delays refusals: each client gets them at a steady rate, however many connections it has."""

import asyncio
import time
from collections.abc import Callable

from cachetools import LRUCache

INTERVAL = 0.05
"""Seconds between two refusals of one client: each costs nearly as much as an answer."""
LONGEST = 5.0
"""Seconds that a refusal is delayed at most."""
MOST_HELD = 2_000
"""Refusals of all clients that wait at once; one takes some 10 kB. Any more are sent at once."""
MAX_CLIENTS = 5_000
"""Clients whose refusals are remembered."""


class Refusals:
    """When each client's next refusal is due; `clock` gives monotonic seconds.

    A client that is refused now and then hardly waits; one that retries at once waits up to `longest` each time.
    """

    def __init__(
        self, *, interval: float = INTERVAL, longest: float = LONGEST, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval = interval
        self._longest = longest
        self._clock = clock
        self._last_due: LRUCache[str, float] = LRUCache(MAX_CLIENTS)
        self._held = 0

    def backlog(self, client: str) -> float:
        """Seconds until the last refusal of a client is due."""
        return max(self._last_due.get(client, 0.0) - self._clock(), 0.0)

    async def hold(self, client: str) -> None:
        """Wait until a client's refusal is due."""
        if self._held >= MOST_HELD:
            return
        seconds = min(self.backlog(client) + self._interval, self._longest)
        self._last_due[client] = self._clock() + seconds
        self._held += 1
        try:
            await asyncio.sleep(seconds)
        finally:
            self._held -= 1

"""How late refusals come: whoever goes on asking is refused at a steady pace, whatever its number of connections."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable

INTERVAL = 0.05
"""Seconds between two refusals of one client: each costs nearly as much as an answer."""
LONGEST = 5.0
"""Seconds that a refusal is held back at most."""
MOST_HELD = 2_000
"""Refusals that are held back at once, of all clients; one takes some 10 kB. What comes beyond is refused at once."""
MAX_CLIENTS = 5_000
"""Clients whose refusals are remembered."""


class Refusals:
    """When each client's next refusal is due; `clock` gives monotonic seconds.

    A client that is refused now and then hardly waits for it, and one that keeps to the limits waits for nothing. One
    with a hundred connections that asks anew on each waits the longest time on all of them.
    """

    def __init__(
        self, *, interval: float = INTERVAL, longest: float = LONGEST, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval = interval
        self._longest = longest
        self._clock = clock
        self._last_due: OrderedDict[str, float] = OrderedDict()
        self._held = 0

    def backlog(self, client: str) -> float:
        """Seconds until a client has had all refusals that are held back for it."""
        return max(self._last_due.get(client, 0.0) - self._clock(), 0.0)

    async def hold(self, client: str) -> None:
        """Wait until a client's refusal is due."""
        if self._held >= MOST_HELD:
            return
        seconds = self._seconds(client)
        self._held += 1
        try:
            await asyncio.sleep(seconds)
        finally:
            self._held -= 1

    def _seconds(self, client: str) -> float:
        seconds = min(self.backlog(client) + self._interval, self._longest)
        self._last_due[client] = self._clock() + seconds
        self._last_due.move_to_end(client)
        if len(self._last_due) > MAX_CLIENTS:
            self._last_due.popitem(last=False)
        return seconds

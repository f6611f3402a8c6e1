"""A rate limiter with a steady rate and a burst for each of many clients, in a table that cannot grow.

It is a generic cell rate algorithm: one number each, the time at which its burst is whole again. The table forgets the
client seen longest ago; the memory storage of the `limits` library would keep every client until a timer removes it.
"""

from collections.abc import Callable

from cachetools import LRUCache


class RateLimiter:
    """The rates of up to `most` clients: `burst` events at once, then one each `interval` seconds."""

    def __init__(self, interval: float, burst: int, *, clock: Callable[[], float], most: int) -> None:
        self.interval = interval
        self.burst = burst
        self._clock = clock
        self._whole_at: LRUCache[str, float] = LRUCache(most)

    def count(self, client: str) -> float:
        """Count an event; returns the seconds that the client has to wait first, in which case nothing is counted."""
        now = self._clock()
        whole_at = max(self._whole_at.get(client, now), now) + self.interval
        wait = whole_at - now - self.burst * self.interval
        if wait > 1e-9:  # noqa: PLR2004 - less is rounding
            return wait
        self._whole_at[client] = whole_at
        return 0.0

    def reset_after(self, client: str) -> float:
        """Seconds until a client may take its whole burst again."""
        return max(self._whole_at.get(client, 0.0) - self._clock(), 0.0)

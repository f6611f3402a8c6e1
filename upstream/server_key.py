"""The server's own key for one provider: used while it is good, rested while the provider refuses it."""

from datetime import datetime

from pydantic import SecretStr

from catalogue.health import Problem
from catalogue.ports.clock import Clock
from upstream import problems
from upstream.errors import Unauthorized
from upstream.upstream import Upstream

KEY_PAUSE = 15 * 60.0
"""Seconds for which a refused key is not tried again."""


class ServerKey:
    """Whether the key may be used now, and what is wrong with it."""

    def __init__(self, *, upstream: Upstream, clock: Clock) -> None:
        self._key = upstream.key
        self._clock = clock
        self.problem: Problem | None = None
        """What the provider said, while the key rests."""
        self.rests_until: float | None = None
        """By the monotonic clock."""

    def usable(self, *, urgent: bool) -> SecretStr | None:
        """The key, unless it rests; an admin's refresh tries it all the same."""
        resting = self.rests_until is not None and self._clock.monotonic() < self.rests_until
        return None if resting and not urgent else self._key

    def now(self) -> datetime:
        """The time in UTC."""
        return self._clock.now()

    def refused(self, error: Unauthorized) -> None:
        """The provider refused the key."""
        self.problem = problems.of_error(error, at=self._clock.now())
        self.rests_until = self._clock.monotonic() + KEY_PAUSE

    def accepted(self) -> None:
        """The provider took the key."""
        self.problem = None
        self.rests_until = None

"""The server's own key for one provider. A refused key is not used for a while."""

from pydantic import SecretStr

from catalogue.health import Problem
from catalogue.ports.clock import Clock
from upstream import problems
from upstream.errors import Unauthorized
from upstream.upstream import Upstream

KEY_PAUSE = 15 * 60.0
"""Seconds for which a refused key is not tried again."""


class ServerKey:
    """The key, whether it may be used now, and its problem."""

    def __init__(self, *, upstream: Upstream, clock: Clock) -> None:
        self._key = upstream.key
        self.clock = clock
        self.problem: Problem | None = None
        """The provider's refusal, while the key rests."""
        self.rests_until: float | None = None
        """By the monotonic clock."""

    def usable(self, *, urgent: bool) -> SecretStr | None:
        """The key, unless it rests; an admin's refresh tries it all the same."""
        resting = self.rests_until is not None and self.clock.monotonic() < self.rests_until
        return None if resting and not urgent else self._key

    def refused(self, error: Unauthorized) -> None:
        """The provider refused the key."""
        self.problem = problems.of_error(error, at=self.clock.now())
        self.rests_until = self.clock.monotonic() + KEY_PAUSE

    def accepted(self) -> None:
        """The provider took the key."""
        self.problem = None
        self.rests_until = None

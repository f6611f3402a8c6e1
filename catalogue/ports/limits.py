"""Where a caller's allowance is read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a caller may still ask for; null where no limit applies."""

    limit: int | None = None
    """Requests in the current window."""
    remaining: int | None = None
    """Requests left in it."""
    reset_at: datetime | None = None
    """When the window ends."""
    cost_limit: int
    """The most that one query may cost."""


class ClientLimits(Protocol):
    """Where a caller's allowance is read."""

    def allowance(self, client: str) -> Allowance:
        """The allowance of the client that limits count."""

"""The machine's own clock."""

import asyncio
import time
from datetime import UTC, datetime


class SystemClock:
    """A `catalogue.ports.clock.Clock`."""

    monotonic = staticmethod(time.monotonic)
    sleep = staticmethod(asyncio.sleep)

    def now(self) -> datetime:
        """The wall clock, UTC."""
        return datetime.now(UTC)

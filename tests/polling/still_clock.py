"""A clock that stands still until the test moves it."""

import asyncio
from datetime import UTC, datetime, timedelta


class StillClock:
    """Wakes sleepers when the test has advanced it past their time."""

    def __init__(self) -> None:
        self.start = datetime(2026, 5, 1, tzinfo=UTC)
        self.seconds = 0.0
        self.sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self.asleep = asyncio.Event()
        """Set once somebody has gone to sleep since the last advance."""

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        alarm = asyncio.get_running_loop().create_future()
        self.sleepers.append((self.seconds + seconds, alarm))
        self.asleep.set()
        await alarm

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
        self.asleep.clear()
        for at, alarm in self.sleepers:
            if at <= self.seconds and not alarm.done():
                alarm.set_result(None)
        self.sleepers = [(at, alarm) for at, alarm in self.sleepers if not alarm.done()]


async def settle() -> None:
    """Let every task go as far as it can without time passing."""
    for _ in range(50):
        await asyncio.sleep(0)

"""One flight for all who want the same thing at once: many waiters, one call."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Generic, TypeVar

V = TypeVar("V")


class Crowded(Exception):
    """As many flights as may are in the air: make do with what is there, or come back."""


class SingleFlight(Generic[V]):
    """Flights by key.

    A flight belongs to nobody: it goes on when its waiters give up, so that whoever comes next finds it further along;
    its length is bounded by what it does, and the number of flights by `at_most`.
    """

    def __init__(self, *, at_most: int) -> None:
        self._at_most = at_most
        self._flights: dict[str, asyncio.Task[V]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def join(self, key: str, start: Callable[[], Coroutine[Any, Any, V]]) -> asyncio.Future[V]:
        """A seat on the flight of this key, which starts when there is none; cancelling the seat only gives it up.

        All seats get the same result or the same exception. Raises Crowded when no further flight may start.
        """
        flight = self._flights.get(key)
        if flight is None:
            if len(self._flights) >= self._at_most:
                raise Crowded
            flight = asyncio.create_task(start())
            self._flights[key] = flight
            flight.add_done_callback(partial(self._landed, key))
        return asyncio.shield(flight)

    def _landed(self, key: str, flight: asyncio.Task[V]) -> None:
        del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # marks it as seen: a flight that nobody waits for may fail without asyncio's complaint

    async def close(self) -> None:
        """End every flight; their seats are cancelled."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

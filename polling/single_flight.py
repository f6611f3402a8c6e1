"""One call for many waiters that want the same thing at once."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Generic, TypeVar

V = TypeVar("V")


class Crowded(Exception):
    """The limit of flights is reached: use a cached value, or try again later."""


class SingleFlight(Generic[V]):
    """Flights by key.

    A flight goes on when its waiters give up, so that the next one finds it further along. Its function bounds its
    length; `at_most` bounds the number of flights.
    """

    def __init__(self, *, at_most: int) -> None:
        self._at_most = at_most
        self._flights: dict[str, asyncio.Task[V]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def join(self, key: str, start: Callable[[], Coroutine[Any, Any, V]]) -> asyncio.Future[V]:
        """A seat on the flight of this key, which starts if necessary; cancelling the seat does not cancel the flight.

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
            flight.exception()  # marks it as seen: a flight without waiters may fail without a warning by asyncio

    async def close(self) -> None:
        """End every flight; their seats are cancelled."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

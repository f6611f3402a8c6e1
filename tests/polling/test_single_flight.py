"""One flight for all who want the same thing at once."""

import asyncio
import gc

import pytest

from polling.single_flight import Crowded, SingleFlight


class Airport:
    """A flight that the test holds on the ground until it says go."""

    def __init__(self) -> None:
        self.departures = 0
        self.cancelled = 0
        self.started = asyncio.Event()
        self.go = asyncio.Event()
        self.failure: Exception | None = None

    async def fly(self) -> int:
        self.departures += 1
        self.started.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.failure is not None:
            raise self.failure
        return self.departures


async def test_a_thousand_waiters_share_one_flight() -> None:
    airport, flights = Airport(), SingleFlight[int](at_most=1)
    seats = [flights.join("a", airport.fly) for _ in range(1_000)]
    airport.go.set()
    assert await asyncio.gather(*seats) == [1] * 1_000
    assert airport.departures == 1


async def test_a_new_flight_starts_once_the_last_one_has_landed() -> None:
    airport, flights = Airport(), SingleFlight[int](at_most=1)
    airport.go.set()
    assert [await flights.join("a", airport.fly), await flights.join("a", airport.fly)] == [1, 2]
    assert len(flights) == 0


async def test_different_keys_fly_apart() -> None:
    airport, flights = Airport(), SingleFlight[int](at_most=2)
    airport.go.set()
    seats = [flights.join("a", airport.fly), flights.join("b", airport.fly)]
    assert await asyncio.gather(*seats) == [1, 2]


async def test_a_waiter_that_gives_up_does_not_end_the_flight_for_the_others() -> None:
    airport, flights = Airport(), SingleFlight[int](at_most=1)
    first, second = flights.join("a", airport.fly), flights.join("a", airport.fly)
    await airport.started.wait()
    first.cancel()
    airport.go.set()
    assert await second == 1
    assert airport.cancelled == 0


async def test_a_flight_goes_on_after_its_last_waiter_gave_up_and_the_next_one_boards_it() -> None:
    airport, flights = Airport(), SingleFlight[int](at_most=1)
    flights.join("a", airport.fly).cancel()
    await airport.started.wait()
    seat = flights.join("a", airport.fly)
    airport.go.set()
    assert await seat == 1


async def test_every_waiter_gets_the_same_exception() -> None:
    airport, flights = Airport(), SingleFlight[int](at_most=1)
    airport.failure = ValueError("lost")
    seats = [flights.join("a", airport.fly) for _ in range(3)]
    airport.go.set()
    assert await asyncio.gather(*seats, return_exceptions=True) == [airport.failure] * 3


async def test_a_failed_flight_without_waiters_makes_no_noise() -> None:
    airport, flights = Airport(), SingleFlight[int](at_most=1)
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    airport.failure = ValueError("lost")
    flights.join("a", airport.fly).cancel()
    await airport.started.wait()
    airport.go.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(flights) == 0
    gc.collect()
    assert not complaints


async def test_no_more_flights_start_than_may_while_those_in_the_air_can_be_boarded() -> None:
    airport, flights = Airport(), SingleFlight[int](at_most=1)
    seats = [flights.join("a", airport.fly)]
    with pytest.raises(Crowded):
        flights.join("b", airport.fly)
    seats.append(flights.join("a", airport.fly))
    airport.go.set()
    assert await asyncio.gather(*seats) == [1, 1]


async def test_closing_ends_every_flight_and_its_waiters() -> None:
    airport, flights = Airport(), SingleFlight[int](at_most=2)
    seat = flights.join("a", airport.fly)
    await airport.started.wait()
    await flights.close()
    with pytest.raises(asyncio.CancelledError):
        await seat
    assert airport.cancelled == 1
    assert len(flights) == 0

"""What is read on demand: fresh, stale, failed, forgotten; one flight per key; bounded."""

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass, field

import pytest

from catalogue.vocabulary import ProviderErrorCode
from polling.cache import Cache, Failure, Found, Memory, Windows, failure_of
from tests.polling.still_clock import StillClock, settle
from upstream.errors import Throttled, TimedOut, Unauthorized, Unreachable, UpstreamError

WINDOWS = Windows(fresh=100, stale=50)


@dataclass
class Source:
    """A provider that answers with the number of the call, when the test lets it."""

    clock: StillClock
    calls: int = 0
    given: list[str | None] = field(default_factory=list)
    trouble: Exception | None = None
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, before: str | None) -> str | Failure:
        self.calls += 1
        number = self.calls
        self.given.append(before)
        await self.go.wait()
        if isinstance(self.trouble, UpstreamError):
            return failure_of(self.trouble, at=self.clock.now(), seconds=30)
        if self.trouble is not None:
            raise self.trouble
        return f"value {number}"


class World:
    """A cache over a source, on a clock that stands still."""

    def __init__(self, *, entries: int = 10, flights: int = 10) -> None:
        self.clock = StillClock()
        self.source = Source(self.clock)
        self.memory = Memory[Found[str]](entries=entries)
        self.cache = Cache[str](self.memory, windows=WINDOWS, flights=flights, clock=self.clock)

    async def get(self, key: str = "a") -> Found[str]:
        return await self.cache.get(key, self.source.read, wait=1.0)

    async def filled(self) -> "World":
        self.source.go.set()
        await self.get()
        return self


async def test_a_fresh_value_is_served_without_a_call_or_a_wait() -> None:
    world = await World().filled()
    world.clock.advance(99)
    found = await world.get()
    assert (found.value, found.waited, world.source.calls) == ("value 1", False, 1)


async def test_the_first_reader_waits_for_the_value_and_is_told_so() -> None:
    world = World()
    world.source.go.set()
    found = await world.get()
    assert (found.value, found.waited, found.read_at) == ("value 1", True, world.clock.now())


async def test_a_thousand_readers_of_an_expired_value_cause_one_call() -> None:
    world = await World().filled()
    world.clock.advance(1_000)
    found = await asyncio.gather(*(world.get() for _ in range(1_000)))
    assert {f.value for f in found} == {"value 2"}
    assert world.source.calls == 2


async def test_a_stale_value_is_served_at_once_and_renewed_by_one_flight_in_the_background() -> None:
    world = await World().filled()
    world.source.go.clear()
    world.clock.advance(101)
    assert [(await world.get()).value for _ in range(5)] == ["value 1"] * 5
    world.source.go.set()
    await settle()
    assert (await world.get()).value == "value 2"
    assert world.source.calls == 2


async def test_a_value_past_its_stale_window_is_never_served() -> None:
    world = await World().filled()
    world.source.trouble = Unreachable("No.")
    world.clock.advance(151)
    found = await world.get()
    assert found.value is None
    assert found.failure is not None


async def test_a_slow_flight_is_waited_for_no_longer_than_told_and_the_next_reader_gets_its_value() -> None:
    world = World()
    reader = asyncio.create_task(world.get())
    await settle()
    world.clock.advance(0.99)
    await settle()
    assert not reader.done()
    world.clock.advance(0.01)
    assert await reader == Found(waited=True)
    world.source.go.set()
    await settle()
    assert (await world.get()).value == "value 1"
    assert world.source.calls == 1


async def test_a_reader_that_leaves_takes_nothing_from_the_others() -> None:
    world = World()
    leaver, stayer = asyncio.create_task(world.get()), asyncio.create_task(world.get())
    await settle()
    leaver.cancel()
    await settle()
    world.source.go.set()
    assert (await stayer).value == "value 1"
    assert world.source.calls == 1


async def test_a_failure_is_remembered_for_its_window_and_then_tried_again() -> None:
    world = World()
    world.source.go.set()
    world.source.trouble = TimedOut("No.")
    await world.get()
    world.clock.advance(29)
    found = await world.get()
    assert found.failure is not None
    assert (found.failure.problem.code, found.waited, world.source.calls) == (ProviderErrorCode.TIMEOUT, False, 1)
    world.clock.advance(1)
    world.source.trouble = None
    assert (await world.get()).value == "value 2"


@pytest.mark.parametrize(("told", "seconds"), [(120.0, 120), (1.0, 30), (1e9, 3_600)])
async def test_a_provider_that_asks_to_wait_is_left_alone_for_so_long_but_not_for_ever(
    told: float, seconds: int
) -> None:
    world = World()
    world.source.go.set()
    world.source.trouble = Throttled("Wait.", retry_after=told)
    await world.get()
    world.clock.advance(seconds - 1)
    await world.get()
    assert world.source.calls == 1
    world.clock.advance(1)
    await world.get()
    assert world.source.calls == 2


async def test_a_stale_value_outlives_a_failure_and_is_not_read_again_while_that_is_remembered() -> None:
    world = await World().filled()
    world.source.trouble = Unreachable("No.")
    world.clock.advance(101)
    await world.get()
    await settle()
    world.clock.advance(29)
    found = await world.get()
    await settle()
    assert (found.value, found.failure is not None, world.source.calls) == ("value 1", True, 2)


async def test_a_refused_key_ends_the_value_that_was_read_with_it() -> None:
    world = await World().filled()
    world.source.trouble = Unauthorized("No.")
    world.clock.advance(101)
    await world.get()
    await settle()
    assert (await world.get()).value is None


async def test_reading_anew_is_given_the_value_from_before() -> None:
    world = await World().filled()
    world.clock.advance(101)
    await world.get()
    await settle()
    assert world.source.given == [None, "value 1"]


async def test_a_bug_in_reading_becomes_a_remembered_problem_that_quotes_nothing() -> None:
    world = World()
    world.source.go.set()
    world.source.trouble = ValueError("Bearer sk-canary")
    found = await world.get()
    assert found.failure is not None
    assert found.failure.problem.code is ProviderErrorCode.MALFORMED
    assert "canary" not in repr(found)


async def test_without_a_reader_only_what_is_there_is_served() -> None:
    world = await World().filled()
    assert (await world.cache.get("a", None, wait=1)).value == "value 1"
    assert await world.cache.get("b", None, wait=1) == Found()


async def test_too_many_flights_leave_a_reader_with_what_is_there_instead_of_a_queue() -> None:
    world = World(flights=1)
    first = asyncio.create_task(world.get("a"))
    await settle()
    assert await world.get("b") == Found()
    world.source.go.set()
    assert (await first).value == "value 1"


async def test_what_was_used_longest_ago_goes_when_there_are_too_many_entries() -> None:
    world = World(entries=2)
    world.source.go.set()
    for key in ("a", "b", "a", "c"):
        await world.get(key)
    assert len(world.memory) == 2
    assert [(await world.cache.get(key, None, wait=1)).value for key in "abc"] == ["value 1", None, "value 3"]


async def test_the_heaviest_entries_make_room_in_the_order_of_their_last_use() -> None:
    memory = Memory[str](entries=10, weigh=len, room=10)
    for key, value in (("a", "x" * 6), ("b", "x" * 4), ("c", "x" * 3)):
        await memory.put(key, value, seconds=60)
    assert [await memory.get(key) for key in "abc"] == [None, "xxxx", "xxx"]


async def test_a_value_heavier_than_the_room_is_the_only_one_kept() -> None:
    memory = Memory[str](entries=10, weigh=len, room=10)
    await memory.put("a", "x", seconds=60)
    await memory.put("b", "x" * 50, seconds=60)
    assert [await memory.get(key) for key in "ab"] == [None, "x" * 50]


async def test_a_value_leaves_the_memory_by_itself_and_what_ends_it_knows_nothing_of_the_reader() -> None:
    said: ContextVar[str] = ContextVar("said")
    said.set("sk-canary")
    memory = Memory[str](entries=1)
    await memory.put("a", "x", seconds=60)
    (timer,) = memory._kept._handlers.values()
    assert 59 < timer.when() - asyncio.get_running_loop().time() <= 60
    assert said not in timer._context


async def test_a_value_is_read_while_it_comes() -> None:
    memory = Memory[str](entries=1)
    coming = asyncio.create_task(memory.put("a", "value", seconds=60))
    seen = []
    while not coming.done():
        await asyncio.sleep(0)
        seen.append(await memory.get("a"))
    assert seen[-1] == "value"
    assert len(memory) == 1


async def test_two_memories_share_nothing() -> None:
    one, other = Memory[str](entries=1), Memory[str](entries=1)
    await one.put("a", "mine", seconds=60)
    assert await other.get("a") is None


class SlowMemory(Memory[Found[str]]):
    """A storage whose first answer comes late."""

    def __init__(self, hold: asyncio.Event) -> None:
        super().__init__(entries=10)
        self.holds = [hold]

    async def get(self, key: str) -> Found[str] | None:
        found = await super().get(key)
        if self.holds:
            await self.holds.pop().wait()
        return found


async def test_a_reader_whose_look_took_longer_than_a_flight_finds_what_that_brought() -> None:
    world, hold = World(), asyncio.Event()
    world.source.go.set()
    cache = Cache[str](SlowMemory(hold), windows=WINDOWS, flights=10, clock=world.clock)
    late = asyncio.create_task(cache.get("a", world.source.read, wait=1.0))
    await settle()
    await cache.get("a", world.source.read, wait=1.0)
    hold.set()
    assert (await late).value == "value 1"
    assert world.source.calls == 1


async def test_closing_leaves_readers_with_what_is_there() -> None:
    world = World()
    reader = asyncio.create_task(world.get())
    await settle()
    await world.cache.close()
    assert await reader == Found(waited=True)

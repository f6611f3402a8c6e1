"""Refusals come at a steady pace: who asks anew on each waits ever longer, who keeps to the limits never."""

import asyncio

from server.callers.refusals import Refusals


class _Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


async def _held(refusals: Refusals, client: str, number: int) -> float:
    """Hold so many refusals, and give them all up; the seconds until the last is due."""
    held = [asyncio.create_task(refusals.hold(client)) for _ in range(number)]
    await asyncio.sleep(0)
    for task in held:
        task.cancel()
    await asyncio.gather(*held, return_exceptions=True)
    return refusals.backlog(client)


async def test_refusals_of_one_client_are_due_one_after_the_other_up_to_the_longest_wait() -> None:
    refusals = Refusals(interval=0.5, longest=4.0, clock=_Clock())
    assert await _held(refusals, "a", 1) == 0.5
    assert await _held(refusals, "a", 3) == 2.0
    assert await _held(refusals, "a", 100) == 4.0


async def test_refusals_of_another_client_do_not_wait() -> None:
    refusals = Refusals(interval=0.5, clock=_Clock())
    await _held(refusals, "a", 10)
    assert refusals.backlog("b") == 0.0
    assert await _held(refusals, "b", 1) == 0.5


async def test_a_client_that_waited_begins_anew() -> None:
    clock = _Clock()
    refusals = Refusals(interval=0.5, clock=clock)
    await _held(refusals, "a", 10)
    clock.now += 5.0
    assert refusals.backlog("a") == 0.0
    assert await _held(refusals, "a", 1) == 0.5

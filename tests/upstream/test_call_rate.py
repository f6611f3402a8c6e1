"""The rate limit of calls to one provider."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.polling.still_clock import StillClock, settle
from upstream.call_rate import MAX_WAITERS, CallRateExceeded, CallRateLimiter, Priority


async def test_a_burst_passes_at_once_and_the_rest_waits() -> None:
    clock = StillClock()
    limiter = CallRateLimiter(requests_per_minute=60, burst=10, clock=clock)
    waits = [asyncio.create_task(limiter.wait(Priority.POLL)) for _ in range(12)]
    await settle()
    assert sum(w.done() for w in waits) == 10
    clock.advance(1.3)
    await settle()
    assert sum(w.done() for w in waits) == 11
    clock.advance(1.3)
    await settle()
    assert all(w.done() for w in waits)
    await limiter.close()


async def test_admins_go_before_polls_and_polls_before_probes() -> None:
    clock = StillClock()
    limiter = CallRateLimiter(requests_per_minute=60, burst=1, clock=clock)
    await limiter.wait(Priority.POLL)
    order: list[Priority] = []

    async def call(priority: Priority) -> None:
        await limiter.wait(priority)
        order.append(priority)

    calls = [asyncio.create_task(call(p)) for p in (Priority.PROBE, Priority.POLL, Priority.ADMIN)]
    for _ in range(4):
        await settle()
        clock.advance(1.1)
    await asyncio.gather(*calls)
    assert order == [Priority.ADMIN, Priority.POLL, Priority.PROBE]
    await limiter.close()


async def test_a_cancelled_caller_takes_no_turn() -> None:
    clock = StillClock()
    limiter = CallRateLimiter(requests_per_minute=60, burst=1, clock=clock)
    await limiter.wait(Priority.POLL)
    gone, stays = (asyncio.create_task(limiter.wait(Priority.POLL)) for _ in range(2))
    await settle()
    gone.cancel()
    clock.advance(1.1)
    await settle()
    assert stays.done()
    await limiter.close()


async def test_the_queue_is_bounded() -> None:
    limiter = CallRateLimiter(requests_per_minute=60, burst=1, clock=StillClock())
    await limiter.wait(Priority.POLL)
    waits = [asyncio.create_task(limiter.wait(Priority.POLL)) for _ in range(MAX_WAITERS)]
    await settle()
    with pytest.raises(CallRateExceeded):
        await limiter.wait(Priority.ADMIN)
    await limiter.close()
    await asyncio.gather(*waits, return_exceptions=True)


@given(
    per_minute=st.integers(1, 300),
    burst=st.integers(1, 300),
    gaps=st.lists(st.floats(0, 20, allow_nan=False), min_size=1, max_size=200),
)
def test_no_minute_sees_more_calls_than_allowed(per_minute: int, burst: int, gaps: list[float]) -> None:
    clock = StillClock()
    limiter = CallRateLimiter(requests_per_minute=per_minute, burst=burst, clock=clock)
    passed: list[float] = []
    for gap in gaps:
        clock.seconds += gap
        while limiter._take():
            passed.append(clock.seconds)
    for start in passed:
        assert sum(start <= at < start + 60 for at in passed) <= max(per_minute, 2)

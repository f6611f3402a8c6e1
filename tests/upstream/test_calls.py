"""Calls to one provider: rate limited, and retried while time is left."""

from typing import Never

import pytest

from providers._kit.adapter import CallLimits
from providers._kit.registry import adapters
from tests.polling.still_clock import StillClock
from tests.practice.faults import Fault
from tests.practice.upstream import PracticeUpstream
from upstream.call_rate import Priority
from upstream.calls import CallPolicy, Calls
from upstream.errors import Unreachable, UpstreamError
from upstream.http import session
from upstream.upstream import Upstream


async def test_each_hop_of_a_redirect_takes_a_turn_of_the_limiter(monkeypatch: pytest.MonkeyPatch) -> None:
    async with PracticeUpstream() as practice, session() as http:
        practice.set_fault("openrouter", Fault.ENDLESS_REDIRECT)
        upstream = Upstream(
            id="openrouter",
            name="OpenRouter",
            adapter=adapters()["openrouter"],
            base_url=practice.base_url("openrouter"),
        )
        calls = Calls(upstream=upstream, session=http, clock=StillClock())
        turns: list[Priority] = []

        async def wait(priority: Priority) -> None:
            turns.append(priority)

        monkeypatch.setattr(calls._limiter, "wait", wait)
        with pytest.raises(UpstreamError):
            await calls.at(CallPolicy(priority=Priority.POLL, budget=10.0, retries=0))(upstream.list_url(), {})
        assert len(turns) >= len(practice.seen("openrouter")) > 1


async def test_no_try_begins_after_the_patience_and_each_that_failed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, told = StillClock(), list[UpstreamError]()

    async def refused_after_two_seconds(*_: object, **__: object) -> Never:
        clock.advance(2)
        raise Unreachable("The provider answered with status 500.")

    monkeypatch.setattr("upstream.calls.get", refused_after_two_seconds)
    async with session() as http:
        upstream = Upstream(
            id="openrouter",
            name="OpenRouter",
            adapter=adapters()["openrouter"],
            base_url="https://upstream.test",
            calls=CallLimits(max_retries=9, backoff_ms=1),
        )
        policy = CallPolicy(priority=Priority.ADMIN, budget=60.0, patience=3.0, failing=told.append)
        with pytest.raises(Unreachable):
            await Calls(upstream=upstream, session=http, clock=clock).at(policy)(upstream.list_url(), {})
    assert (len(told), clock.seconds) == (2, 4.0)

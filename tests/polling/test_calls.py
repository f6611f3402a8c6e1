"""Calls to one provider over real sockets."""

import pytest

from polling.calls import Calls
from polling.pace import Priority
from providers._kit.errors import UpstreamError
from providers._kit.http import session
from providers._kit.registry import adapters
from providers._kit.upstream import Upstream
from tests.polling.still_clock import StillClock
from tests.practice.faults import Fault
from tests.practice.upstream import PracticeUpstream


async def test_each_hop_of_a_redirect_takes_a_turn_of_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
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

        monkeypatch.setattr(calls._pace, "wait", wait)
        with pytest.raises(UpstreamError):
            await calls.at(Priority.POLL, budget=10.0, retries=0)(upstream.list_url(), {})
        assert len(turns) >= len(practice.seen("openrouter")) > 1

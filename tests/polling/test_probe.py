"""A probe over real sockets: it reads no more than it needs."""

from catalogue.observation import Answered
from polling.clock import SystemClock
from providers._kit.registry import adapters
from tests.practice.faults import Fault
from tests.practice.upstream import PracticeUpstream
from upstream.calls import Calls
from upstream.http import session
from upstream.probe import probe
from upstream.server_key import ServerKey
from upstream.upstream import Upstream


async def test_a_probe_of_a_huge_list_counts_as_answered_and_reads_little_of_it() -> None:
    async with PracticeUpstream() as played, session() as http:
        upstream = Upstream(
            id="openrouter",
            name="OpenRouter",
            adapter=adapters()["openrouter"],
            base_url=played.base_url("openrouter"),
        )
        calls = Calls(upstream=upstream, session=http, clock=SystemClock())
        played.set_fault("openrouter", Fault.HUGE)
        found = await probe(upstream, calls, ServerKey(upstream=upstream, clock=SystemClock()), retried=False)
        assert isinstance(found, Answered)
        assert found.latency_ms > 0
        assert [seen.path for seen in played.seen()] == ["/api/v1/models"]
        assert played.streamed < 20_000_000
        await calls.close()

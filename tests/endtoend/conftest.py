"""A practice upstream and a server in front of it, and how fast the server is told to look."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from catalogue.health import SUCCESSES_TO_UP
from tests.endtoend.process import ServerProcess
from tests.practice.plays import provider
from tests.practice.rows import Row
from tests.practice.upstream import PracticeUpstream

PROVIDERS = ("openrouter", "requesty", "practice")


def settings(
    upstream: PracticeUpstream,
    *,
    list_ttl: float = 2.0,
    health_ttl: float = 0.3,
    requests_per_minute: int = 6_000,
    burst: int = 1_000,
) -> str:
    """The configuration for the three played providers, without keys."""
    lines = [f"model_list_ttl = {list_ttl}", f"provider_health_ttl = {health_ttl}"]
    for name in PROVIDERS:
        lines += [f"[providers.{name}]", f'base_url = "{upstream.base_url(name)}"']
        if name == "practice":
            lines += ['adapter = "openai-compatible"', 'name = "Practice"']
        lines += [f"requests_per_minute = {requests_per_minute}", f"burst = {burst}"]
        lines += ["max_retries = 1", "backoff_ms = 10", "timeout = 1"]
    return "\n".join(lines)


async def mended(server: ServerProcess, upstream: PracticeUpstream, **lists: list[Row]) -> None:
    """Put the upstream in order, and wait until every provider's own list is served and each is healthy again."""
    upstream.clear()
    await upstream.start()
    for name in PROVIDERS:
        upstream.set_list(name, lists.get(name) or provider(name).rows)
    await server.refresh()  # may join a flight that began under a fault
    for _ in range(SUCCESSES_TO_UP):
        results = await server.refresh()
        assert {result["outcome"] for result in results} <= {"UPDATED", "UNCHANGED"}, results


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def upstream() -> AsyncIterator[PracticeUpstream]:
    async with PracticeUpstream() as played:
        yield played


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(upstream: PracticeUpstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    async with ServerProcess(tmp_path_factory.mktemp("server"), settings(upstream)) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def server(served: ServerProcess, upstream: PracticeUpstream) -> ServerProcess:
    """The module's server, with all well upstream."""
    await mended(served, upstream)
    return served

"""A practice upstream and a server in front of it, and how fast the server is told to look."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from catalogue.health import SUCCESSES_TO_UP
from tests.endtoend.process import ServerProcess
from tests.practice.plays import provider
from tests.practice.rows import Row
from tests.practice.upstream import PracticeUpstream

PROVIDERS = ("openrouter", "requesty", "practice")
IMPATIENT = 0.4
"""Seconds for one call, where a test waits for calls that hang; even huge answers come many times sooner."""


def settings(
    upstream: PracticeUpstream, *, list_ttl: float = 2.0, health_ttl: float = 0.3, **each: float | bool
) -> str:
    """The configuration for the three played providers, without keys; what `each` says holds for all of them."""
    usual = {"requests_per_minute": 6_000, "burst": 1_000, "max_retries": 1, "backoff_ms": 10, "timeout": 1}
    lines = [f"model_list_ttl = {list_ttl}", f"provider_health_ttl = {health_ttl}"]
    for name in PROVIDERS:
        lines += [f"[providers.{name}]", f'base_url = "{upstream.base_url(name)}"']
        if name == "practice":
            lines += ['adapter = "openai-compatible"', 'name = "Practice"']
        lines += [f"{key} = {json.dumps(value)}" for key, value in (usual | each).items()]
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
    toml = settings(upstream, list_ttl=0.6, timeout=IMPATIENT)
    async with ServerProcess(tmp_path_factory.mktemp("server"), toml) as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def unhurried(
    upstream: PracticeUpstream, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ServerProcess]:
    """A server whose polls are too rare to fall into a test that counts calls."""
    async with ServerProcess(tmp_path_factory.mktemp("server"), settings(upstream, list_ttl=600, health_ttl=600)) as it:
        yield it


@pytest_asyncio.fixture(loop_scope="module")
async def server(served: ServerProcess, upstream: PracticeUpstream) -> ServerProcess:
    """The module's server, with all well upstream."""
    await mended(served, upstream)
    return served

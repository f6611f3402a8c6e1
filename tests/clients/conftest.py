"""A server for the clients, and a price that moves when a test says so."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from tests.endtoend.conftest import settings
from tests.endtoend.process import ServerProcess
from tests.practice.rows import openrouter_list
from tests.practice.upstream import PracticeUpstream

REPRICED = "openrouter/meta/llama-practice"
SEEING = {"Google: Gemini Practice", "Openai: Practice 5"}
"""The names of OpenRouter's models with vision."""

Reprice = Callable[[], Awaitable[float]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def upstream() -> AsyncIterator[PracticeUpstream]:
    async with PracticeUpstream() as played:
        yield played


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(upstream: PracticeUpstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    """A server that reads the practice lists once, and again only when asked to."""
    toml = settings(upstream, list_ttl=3_600, health_ttl=3_600)
    async with ServerProcess(tmp_path_factory.mktemp("server"), toml) as started:
        await started.refresh()
        yield started


@pytest.fixture(scope="module")
def reprice(server: ServerProcess, upstream: PracticeUpstream) -> Reprice:
    """Move the price of `REPRICED`; gives the new one, in USD per million tokens."""
    millionths = itertools.count(1)

    async def move() -> float:
        price = next(millionths)
        rows = openrouter_list()
        for row in rows:
            if f"openrouter/{row['id']}" == REPRICED:
                row["pricing"] = row["pricing"] | {"prompt": f"0.0000{price:03}"}
        upstream.set_list("openrouter", rows)
        (result,) = await server.refresh("openrouter")
        assert (result["outcome"], result["changed"]) == ("UPDATED", 1)
        return float(price * 0.1)

    return move

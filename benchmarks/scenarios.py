"""What a refresh of 5,000 models can bring: each scenario sets the upstream up, then gives what is to be measured."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.endtoend.process import ServerProcess, Transport
from tests.practice.faults import Fault
from tests.practice.rows import big_list
from tests.practice.upstream import PracticeUpstream

MODELS = 5_000
EVENTS = """
subscription {
  catalogueChanged {
    kind cursor
    ... on DetailsChanged { fields model { id name } }
    ... on StatusChanged { model { id status } }
  }
}
"""
HEALTH = '{ provider(id: "openrouter") { health { status } } }'
_PATIENCE = 20.0

Action = Callable[[], Awaitable[object]]
Scenario = Callable[["World"], Awaitable[Action]]


class World:
    """A server over a practice upstream that lists 5,000 models."""

    def __init__(self, upstream: PracticeUpstream, server: ServerProcess) -> None:
        self.upstream = upstream
        self.server = server
        self._rng = random.Random(7)
        self._rows = big_list(MODELS)
        upstream.set_list("openrouter", self._rows)

    async def refresh(self) -> None:
        """Have the list fetched."""
        await self.server.refresh("openrouter")

    async def until(self, status: str) -> None:
        """Have the list fetched until the provider's health is so."""
        async with asyncio.timeout(_PATIENCE):
            while (await self.server.query(HEALTH))["provider"]["health"]["status"] != status:
                await self.refresh()

    def change(self, count: int) -> None:
        """Have the upstream change some rows."""
        for row in self._rng.sample(self._rows, count):
            row["context_length"] = int(str(row.get("context_length") or 1000)) + 1
        self.upstream.set_list("openrouter", self._rows)

    def ill(self, fault: Fault) -> None:
        """Have the upstream go wrong."""
        self.upstream.set_fault("openrouter", fault)

    async def mend(self) -> None:
        """Put all in order, until the server says so and has the list."""
        self.upstream.clear()
        await self.until("HEALTHY")
        await self.refresh()


def on_demand(upstream: PracticeUpstream) -> str:
    """The configuration of a server that reads its one list only when it is refreshed."""
    return f"""
model_list_ttl = 3600
provider_health_ttl = 600
[providers.openrouter]
base_url = "{upstream.base_url("openrouter")}"
requests_per_minute = 60000
burst = 10000
max_retries = 0
poll = false
"""


@asynccontextmanager
async def world(command: tuple[str, ...] | None = None) -> AsyncIterator[World]:
    """A world whose first list is still to come; `command` starts its server in another way."""
    async with PracticeUpstream() as upstream:
        with TemporaryDirectory() as folder:
            async with ServerProcess(Path(folder), on_demand(upstream), command=command) as server:
                yield World(upstream, server)


async def nothing(_: World) -> Action:
    """A second without a refresh."""
    return partial(asyncio.sleep, 1)


async def unchanged(w: World) -> Action:
    """The very same list."""
    return w.refresh


async def few_changed(w: World) -> Action:
    """A list of which 1 % of the rows changed."""
    w.change(MODELS // 100)
    return w.refresh


async def all_changed(w: World) -> Action:
    """A list of which every row changed."""
    w.change(MODELS)
    return w.refresh


def ill(fault: Fault) -> Scenario:
    """The list goes wrong."""

    async def with_fault(w: World) -> Action:
        w.ill(fault)
        return w.refresh

    return with_fault


async def down(w: World) -> Action:
    """The failure that takes the provider down: 5,000 statuses change."""
    w.ill(Fault.SERVER_ERROR)
    await w.until("DEGRADED")
    return partial(w.until, "DOWN")


async def up(w: World) -> Action:
    """What brings the provider back: 5,000 statuses change."""
    await (await down(w))()
    w.upstream.clear()
    return partial(w.until, "HEALTHY")


def watched(
    scenario: Callable[[World], Awaitable[Action]], transport: Transport
) -> Callable[[World], Awaitable[Action]]:
    """The same with a subscriber who is told of every change."""

    async def with_subscriber(w: World) -> Action:
        action = await scenario(w)

        async def acted() -> None:
            async with w.server.subscription(transport, EVENTS) as events:
                reading = asyncio.create_task(_read(events, MODELS))
                await asyncio.sleep(0.2)  # the server does not say when a subscription has begun
                await action()
                await asyncio.wait_for(reading, _PATIENCE)

        return acted

    return with_subscriber


async def _read(events: AsyncIterator[object], count: int) -> None:
    async for _ in events:
        count -= 1
        if not count:
            return


SCENARIOS: dict[str, Scenario] = {
    "idle": nothing,
    "unchanged": unchanged,
    "1 % changed": few_changed,
    "all changed": all_changed,
    "shrunk": ill(Fault.SHRUNK),
    "duplicates": ill(Fault.DUPLICATES),
    "garbage rows": ill(Fault.GARBAGE_ROWS),
    "huge": ill(Fault.HUGE),
    "gzip bomb": ill(Fault.GZIP_BOMB),
    "degraded": ill(Fault.SERVER_ERROR),
    "down": down,
    "up": up,
    "all changed, WebSocket": watched(all_changed, "ws"),
    "all changed, SSE": watched(all_changed, "sse"),
    "up, WebSocket": watched(up, "ws"),
    "up, SSE": watched(up, "sse"),
}
"""What comes after the first list."""

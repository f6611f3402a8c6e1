"""A flood is cut off, and whoever keeps to the limits hardly notices; what one client may hold open is bounded."""

import asyncio
import json
import signal
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.effort import unit
from tests.endtoend.process import ADMIN_TOKEN, PATIENCE, REFRESH, ServerProcess
from tests.practice.rows import big_list
from tests.practice.upstream import PracticeUpstream
from tests.security.silent import subscribe_and_fall_silent

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]

BURST, RATE = 150, 600
DELAY = 100
"""The server's work for which another client may wait, in units of about a millisecond."""
KEPT = 0.8
"""The share of its throughput that a client keeps beside a flood."""
FEWEST, ROUNDS = 5, 25
"""Measurements: on a machine that is busy with something else, single ones say little."""
CONNECTIONS, SUBSCRIPTIONS, CONCURRENT = 5, 12, 4
BY_SOCKET, NO_REQUESTS = ("operations", "churn"), ("nameless", "garbage", "broken_upgrades")
ABUSER = "127.0.0.2"
ADDRESSES = (f"127.0.{number // 250}.{number % 250 + 1}" for number in count(500))
SUBSCRIBE = "subscription { catalogueChanged { kind } }"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def upstream() -> AsyncIterator[PracticeUpstream]:
    async with PracticeUpstream() as played:
        yield played


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(upstream: PracticeUpstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    toml = f"""
provider_health_ttl = 600
[limits]
limit_loopback = true
burst = {BURST}
requests_per_minute = {RATE}
connections = {CONNECTIONS}
subscriptions = {SUBSCRIPTIONS}
concurrent_requests = {CONCURRENT}
[providers.openrouter]
base_url = "{upstream.base_url("openrouter")}"
"""
    async with ServerProcess(tmp_path_factory.mktemp("flood"), toml) as started:
        yield started


@asynccontextmanager
async def _client(server: ServerProcess, host: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A client at an address of its own, and so with an allowance of its own."""
    connector = aiohttp.TCPConnector(local_addr=(host, 0), limit=0)
    async with aiohttp.ClientSession(server.url, connector=connector) as session:
        yield session


async def _costs(server: ServerProcess, session: aiohttp.ClientSession, number: int) -> list[float]:
    """Ask one after the other; the CPU time that the server took until each answer."""
    costs = []
    for _ in range(number):
        began = server.cpu_seconds()
        async with session.post("/graphql", json={"query": "{ models(limit: 20) { id name } }"}) as answer:
            assert answer.status == 200, await answer.text()
            await answer.read()
        costs.append(server.cpu_seconds() - began)
    return costs


async def _connect(session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    return await session.ws_connect("/graphql", protocols=["graphql-transport-ws"])


@asynccontextmanager
async def _flood(server: ServerProcess, kind: str, connections: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """An abuser that was cut off once, and goes on."""
    command = ("-m", "tests.security.flooder", server.url, ABUSER, kind, str(connections))
    flooding = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    assert flooding.stdout
    try:
        assert await asyncio.wait_for(flooding.stdout.readline(), PATIENCE) == b"cut off\n"
        yield flooding
    finally:
        if flooding.returncode is None:
            flooding.kill()
            await flooding.wait()


async def _cost(server: ServerProcess, number: int) -> float:
    """The CPU time that the server takes until a client at an address of its own has asked so often."""
    async with _client(server, next(ADDRESSES)) as client:
        return sum(await _costs(server, client, number))


async def _kept(server: ServerProcess, flooding: asyncio.subprocess.Process) -> float:
    """What share of its throughput another client keeps, measured while the abuser rests and while it goes on."""
    flooding.send_signal(signal.SIGSTOP)
    alone = await _cost(server, BURST)
    flooding.send_signal(signal.SIGCONT)
    await _cost(server, BURST // 2)  # the answers that came during the rest are taken
    return alone / await _cost(server, BURST)


async def test_a_flood_is_cut_off_while_others_are_served(server: ServerProcess) -> None:
    """The abuser gets its burst and its rate, and is refused with the time to wait; another client loses little."""
    began = time.monotonic()
    ratios: list[float] = []
    async with _flood(server, "requests", 100) as flooding:
        while len(ratios) < ROUNDS and (len(ratios) < FEWEST or statistics.median(ratios) < KEPT):
            ratios.append(await _kept(server, flooding))
        flooding.terminate()
        out, _ = await asyncio.wait_for(flooding.communicate(), PATIENCE)
    seen, took = json.loads(out), time.monotonic() - began
    print(f"another client keeps {statistics.median(ratios):.0%} of its throughput; the abuser: {seen}")  # noqa: T201
    assert 0 < seen["200"] <= BURST + RATE / 60 * took
    assert 0 < seen["429"] <= 40 * took
    assert "mute" not in seen
    assert statistics.median(ratios) >= KEPT


@pytest.mark.parametrize("kind", ["reconnecting", "pipelined", "handshakes", "health", *BY_SOCKET, *NO_REQUESTS])
async def test_no_way_of_asking_escapes_the_cut(server: ServerProcess, kind: str) -> None:
    """However the abuser asks, it is refused a few times a second, and others are answered at once."""
    async with _flood(server, kind, CONNECTIONS if kind in BY_SOCKET else 20) as flooding:
        began = time.monotonic()
        middle = statistics.median([await _cost(server, 1) for _ in range(50)]) / unit()
        flooding.terminate()
        out, _ = await asyncio.wait_for(flooding.communicate(), PATIENCE)
    seen = json.loads(out)
    print(f"{kind}: another client waited for {middle:.0f} units; the abuser: {seen}")  # noqa: T201
    assert "mute" not in seen
    assert seen["400" if kind in NO_REQUESTS else "429"] <= 50 + 40 * (time.monotonic() - began)
    assert middle < DELAY


async def test_a_client_may_have_so_many_requests_under_way(server: ServerProcess, upstream: PracticeUpstream) -> None:
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    upstream.hold("openrouter")
    try:
        async with _client(server, "127.0.0.3") as client, asyncio.TaskGroup() as asking:
            started = len(upstream.log)

            async def refresh() -> int:
                async with client.post("/graphql", json={"query": REFRESH}, headers=headers) as answer:
                    return answer.status

            held = [asking.create_task(refresh()) for _ in range(CONCURRENT)]
            await upstream.arrived(started + 1)
            async with asyncio.timeout(PATIENCE):
                while await refresh() != 429:
                    pass
            upstream.release("openrouter")
        assert [task.result() for task in held] == [200] * CONCURRENT
        async with _client(server, "127.0.0.3") as client:
            assert len(await _costs(server, client, 1)) == 1
    finally:
        upstream.clear()


async def test_a_client_may_have_so_many_sockets(server: ServerProcess) -> None:
    async with _client(server, "127.0.0.4") as client, AsyncExitStack() as sockets:
        for _ in range(CONNECTIONS):
            await sockets.enter_async_context(await _connect(client))
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await _connect(client)
        assert refused.value.status == 429
        assert refused.value.headers is not None
        assert "Retry-After" in refused.value.headers
        async with _client(server, "127.0.0.5") as other, await _connect(other) as socket:
            assert not socket.closed


async def test_a_client_may_have_so_many_subscriptions_by_socket_and_stream_together(server: ServerProcess) -> None:
    stream = {"Accept": "text/event-stream"}
    async with _client(server, "127.0.0.6") as client, AsyncExitStack() as held:
        sockets = [await held.enter_async_context(await _connect(client)) for _ in range(2)]
        for socket in sockets:
            await socket.send_json({"type": "connection_init"})
            await socket.receive_json()
            for number in range(SUBSCRIPTIONS // 2 - 1):
                await socket.send_json({"type": "subscribe", "id": str(number), "payload": {"query": SUBSCRIBE}})
            await socket.send_json({"type": "ping"})
            await socket.receive_json()
        for _ in range(2):
            answer = await held.enter_async_context(client.post("/graphql", json={"query": SUBSCRIBE}, headers=stream))
            assert answer.status == 200
        async with client.post("/graphql", json={"query": SUBSCRIBE}, headers=stream) as answer:
            assert answer.status == 429
        await sockets[0].send_json({"type": "subscribe", "id": "more", "payload": {"query": SUBSCRIBE}})
        said: Any = await sockets[0].receive_json(timeout=PATIENCE)
        assert said["payload"][0]["extensions"]["code"] == "RATE_LIMITED"


async def test_what_a_client_has_left_is_told(server: ServerProcess) -> None:
    async with _client(server, "127.0.0.7") as client:
        query = {"query": "{ clientLimit { limit remaining resetAt cost costLimit } }"}
        async with client.post("/graphql", json=query) as answer:
            told = (await answer.json())["data"]["clientLimit"]
            assert answer.headers["RateLimit-Remaining"] == str(told["remaining"]) == str(BURST - 1)
            assert (told["limit"], told["costLimit"]) == (BURST, 50_000)


async def test_an_event_stream_counts_once(server: ServerProcess) -> None:
    stream = {"Accept": "text/event-stream"}
    async with _client(server, "127.0.0.8") as client:
        for left in (BURST - 1, BURST - 2):
            async with client.post("/graphql", json={"query": SUBSCRIBE}, headers=stream) as answer:
                await answer.content.readline()
                assert (answer.status, answer.headers["RateLimit-Remaining"]) == (200, str(left))


async def test_subscribers_that_never_read_cost_little_and_delay_nobody(
    upstream: PracticeUpstream, tmp_path: Path
) -> None:
    """Eighty of them, each sent most of a megabyte: what fits no buffer is not made, and others hear all."""
    events = "subscription { catalogueChanged { kind ... on DetailsChanged { model { id description } } } }"
    toml = f"""
provider_health_ttl = 600
[providers.openrouter]
base_url = "{upstream.base_url("openrouter")}"
requests_per_minute = 6000
"""
    rows = [row | {"description": "x" * 4_000} for row in big_list(100)]
    upstream.set_list("openrouter", rows)
    async with ServerProcess(tmp_path, toml) as server, AsyncExitStack() as silent:
        await server.refresh()
        for _ in range(80):
            silent.callback((await subscribe_and_fall_silent(server.url, events)).close)
        before = server.peak_rss()
        async with _client(server, "127.0.0.1") as client, server.subscription("sse", events) as told:
            for number in range(2):
                upstream.set_list("openrouter", [row | {"name": f"{row['name']} {number}"} for row in rows])
                refreshing = asyncio.create_task(server.refresh("openrouter"))
                waits = await _costs(server, client, 100)
                await refreshing
                for _ in rows:
                    event = await asyncio.wait_for(anext(told), PATIENCE)
                    assert len(event["model"]["description"]) == 4_000
            grown = (server.peak_rss() - before) / 1024**2
        middle, most = statistics.median(waits) / unit(), max(waits) / unit()
    print(f"80 silent subscribers: {grown:.0f} MB more, another client waited for {middle:.0f} to {most:.0f} units")  # noqa: T201
    assert grown < 60
    assert middle < DELAY

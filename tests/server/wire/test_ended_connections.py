"""What a connection held is gone with it, without the garbage collector: from a frozen circle nothing is ever freed."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from weakref import ref

import pytest

from execution.cooperative import CooperativeExecutor
from server.http.ws_connection import Connection
from server.wire.uvicorn_protocol import PunctualHttp
from server.wire.uvicorn_websocket import PunctualWebSocket
from tests.server.wire.test_slow_connections import echo, opened
from tests.small.over_sockets import serving, world_of_sockets
from tests.small.schema import PATIENCE

KINDS = (PunctualHttp, PunctualWebSocket, Connection, CooperativeExecutor)


@pytest.fixture
def _no_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def _living(*earlier: object) -> list[object]:
    """The connections and operations that exist, without those that other tests left behind."""
    return [it for it in gc.get_objects() if isinstance(it, KINDS) and not any(it is other for other in earlier)]


@asynccontextmanager
async def _answered() -> AsyncIterator[None]:
    async with serving(echo) as (_, port), opened(port) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        yield


@asynccontextmanager
async def _subscribed() -> AsyncIterator[None]:
    async with world_of_sockets() as world, world.socket() as socket:
        await socket.subscribe("1", "subscription { events }")
        await world.source.until_live(1)
        world.source.publish(1)
        assert (await socket.read())["type"] == "next"
        yield


@pytest.mark.usefixtures("_no_collection")
@pytest.mark.parametrize("talk", [_answered, _subscribed], ids=["answered", "subscribed"])
async def test_an_ended_connection_leaves_nothing_to_the_garbage_collector(
    talk: Callable[[], AbstractAsyncContextManager[None]],
) -> None:
    earlier = _living()
    async with asyncio.timeout(PATIENCE):
        async with talk():
            held = [ref(thing) for thing in _living(*earlier)]
            assert held
        while any(one() is not None for one in held):  # noqa: ASYNC110 - the server tells nobody of a connection's end
            await asyncio.sleep(0)


@pytest.mark.usefixtures("_no_collection")
async def test_an_answered_operation_leaves_nothing_to_the_garbage_collector() -> None:
    async with world_of_sockets() as world, world.socket() as socket:
        await socket.subscribe("1", "{ hello }")
        assert (await socket.read_all("1"))[0]["payload"] == {"data": {"hello": "hello world"}}
        assert not [thing for thing in gc.get_objects() if isinstance(thing, CooperativeExecutor)]

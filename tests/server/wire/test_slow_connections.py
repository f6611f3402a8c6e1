"""Connections that are slow, silent or never read: each ends in time, and nobody else waits for them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode

from server.wire.connection_limits import ConnectionLimits
from server.wire.uvicorn_options import uvicorn_options
from server.wire.uvicorn_protocol import PunctualHttp
from server.wire.uvicorn_websocket import PunctualWebSocket
from tests.small.over_sockets import serving, world_of_sockets
from tests.small.schema import PATIENCE

SOON = ConnectionLimits(
    head=0.1, body=0.1, keep_alive=0.1, stall=0.1, ping_interval=0.1, ping_timeout=0.2, close_grace=0.1
)
NEVER = 3600.0
PATIENT = ConnectionLimits(head=NEVER, body=NEVER, keep_alive=NEVER, stall=NEVER)
HEAD = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\n"


async def echo(_scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request with its body; leave without an answer when the client has left."""
    body, more = b"", True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            return
        body += event["body"]
        more = event["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def opened(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def to_its_end(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(PATIENCE):
        return await reader.read()


@pytest.mark.parametrize(
    ("sent", "limits"),
    [
        (b"", replace(PATIENT, head=0.1)),
        (b"GET / HTTP/1.1\r\nHost: he", replace(PATIENT, head=0.1)),
        (b"\r\n", replace(PATIENT, head=0.1)),
        (HEAD, replace(PATIENT, body=0.1)),
        (HEAD + b"ab", replace(PATIENT, body=0.1)),
    ],
    ids=["silence", "half a head", "an empty line", "no body", "half a body"],
)
async def test_a_request_that_does_not_arrive_in_time_is_closed(sent: bytes, limits: ConnectionLimits) -> None:
    async with serving(echo, limits) as (_, port), opened(port) as (reader, writer):
        writer.write(sent)
        assert await to_its_end(reader) == b""


async def test_a_head_that_trickles_in_is_closed_all_the_same() -> None:
    async with serving(echo, SOON) as (_, port), opened(port) as (reader, writer), asyncio.timeout(PATIENCE):
        writer.write(b"GET / HTTP/1.1\r\nX-Slow: ")
        ended = asyncio.create_task(reader.read())
        while not ended.done():
            writer.write(b"x")
            await asyncio.wait({ended}, timeout=0.02)


async def test_a_head_without_end_is_closed_before_it_fills_the_memory() -> None:
    async with serving(echo, PATIENT) as (_, port), opened(port) as (_, writer), asyncio.timeout(PATIENCE):
        writer.write(b"GET / HTTP/1.1\r\nX-Long: ")
        with pytest.raises(ConnectionError):
            await _write_forever(writer)


async def _write_forever(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


async def test_an_answered_connection_is_closed_when_no_next_request_comes() -> None:
    async with serving(echo, replace(PATIENT, keep_alive=0.1)) as (_, port), opened(port) as (reader, writer):
        writer.write(HEAD + b"abcd")
        assert (await to_its_end(reader)).endswith(b"\r\n\r\nabcd")


async def test_an_answered_connection_has_time_for_a_whole_head_only() -> None:
    """An empty line begins no request, yet it ends uvicorn's keep-alive clock."""
    async with (
        serving(echo, replace(PATIENT, head=0.1)) as (_, port),
        opened(port) as (reader, writer),
        asyncio.timeout(PATIENCE),
    ):
        writer.write(HEAD + b"abcd")
        await reader.readuntil(b"\r\n\r\nabcd")
        writer.write(b"\r\n")
        assert await to_its_end(reader) == b""


async def test_a_peer_that_does_not_take_its_answer_is_dropped() -> None:
    gone = asyncio.Event()

    async def pour(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        pouring = asyncio.create_task(_pour_forever(send))
        while (await receive())["type"] != "http.disconnect":
            pass
        pouring.cancel()
        gone.set()

    async with serving(pour, SOON) as (_, port), opened(port) as (_, writer), asyncio.timeout(PATIENCE):
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a stream's transport reads as well
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        await gone.wait()


async def _pour_forever(send: Send) -> None:
    while True:
        await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})


class Clock:
    """A loop of which a protocol sees only the timers; time is what the test says."""

    def __init__(self) -> None:
        self.timers: list[tuple[Mock, float, Callable[[], None]]] = []

    def call_later(self, delay: float, callback: Callable[..., None], *args: object) -> Mock:
        handle = Mock()
        self.timers.append((handle, delay, lambda: callback(*args)))
        handle.cancel.side_effect = lambda: self.timers.remove(timer) if (timer := self._of(handle)) else None
        return handle

    def create_task(self, coroutine: Any) -> Mock:
        coroutine.close()
        return Mock()

    def delays(self) -> list[float]:
        return [delay for _, delay, _ in self.timers]

    def ring(self) -> None:
        """Fire the timers that are set now."""
        due, self.timers = self.timers, []
        for _, _, callback in due:
            callback()

    def _of(self, handle: Mock) -> tuple[Mock, float, Callable[[], None]] | None:
        return next((timer for timer in self.timers if timer[0] is handle), None)


def protocol_of(kind: type[Any], clock: Clock) -> Any:
    config = uvicorn.Config(echo, log_config=None, **uvicorn_options(ConnectionLimits()))
    protocol = kind(config, ServerState(), {}, clock)
    transport = Mock()
    transport.is_closing.return_value = False
    transport.get_extra_info.return_value = None
    transport.get_write_buffer_size.return_value = 0
    protocol.connection_made(transport)
    return protocol


def test_each_part_of_a_request_has_its_own_time_and_the_answer_has_none() -> None:
    clock = Clock()
    protocol = protocol_of(PunctualHttp, clock)
    assert clock.delays() == [15.0]
    protocol.data_received(HEAD[:20])
    assert clock.delays() == [15.0]
    protocol.data_received(HEAD[20:])
    assert clock.delays() == [30.0]
    protocol.data_received(b"abcd")
    assert clock.delays() == []


def test_a_peer_that_reads_slowly_but_steadily_keeps_its_connection() -> None:
    clock = Clock()
    protocol = protocol_of(PunctualHttp, clock)
    clock.timers.clear()
    for left in (100_000, 90_000, 80_000):
        protocol.transport.get_write_buffer_size.return_value = left
        protocol.pause_writing()
        if left < 100_000:
            clock.ring()
    protocol.transport.abort.assert_not_called()
    clock.ring()
    protocol.transport.abort.assert_called_once()


def test_a_peer_that_has_read_again_is_no_longer_watched() -> None:
    clock = Clock()
    protocol = protocol_of(PunctualHttp, clock)
    clock.timers.clear()
    protocol.pause_writing()
    protocol.resume_writing()
    assert clock.delays() == []


def test_pings_of_a_peer_that_reads_no_pongs_are_not_answered_without_end() -> None:
    protocol = protocol_of(PunctualWebSocket, Clock())
    protocol.transport.get_write_buffer_size.return_value = 262_145
    protocol.handle_ping()
    protocol.transport.abort.assert_called_once()


async def test_a_socket_whose_peer_stops_reading_is_dropped_and_holds_little_meanwhile() -> None:
    limits = ConnectionLimits(ping_interval=0.1, ping_timeout=0.2)
    async with world_of_sockets(connection_limits=limits) as world, world.socket() as idle, world.socket() as other:
        world.source.size = 65_536
        idle.connection.transport.pause_reading()
        await idle.subscribe("1", "subscription{events}")
        await world.source.until_live(1)
        await other.subscribe("1", "{hello}")
        assert [message["type"] for message in await other.read_all("1")] == ["next", "complete"]
        await world.source.until_live(0)
        assert world.source.pulled * world.source.size < 32 * 2**20


async def test_a_peer_that_does_not_answer_a_close_is_dropped() -> None:
    async with world_of_sockets(connection_limits=SOON) as world:
        port = int(world.url.split(":")[2].split("/")[0])
        async with opened(port) as (reader, writer):
            writer.write(
                b"GET /graphql HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
            )
            assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
            writer.write(Frame(Opcode.TEXT, b"[]").serialize(mask=True))
            assert (4400).to_bytes(2, "big") in await to_its_end(reader)


async def test_a_stopping_server_closes_its_sockets_with_1012_even_those_that_never_read() -> None:
    limits = ConnectionLimits(close_grace=0.1)
    async with (
        asyncio.timeout(PATIENCE),
        world_of_sockets(connection_limits=limits) as world,
        world.socket() as stuck,
        world.socket() as socket,
    ):
        world.source.size = 65_536
        stuck.connection.transport.pause_reading()
        await stuck.subscribe("1", "subscription{events}")
        await world.until_stuck()
        stopping = asyncio.create_task(world.server.shutdown())
        assert await socket.close_code() == 1012
        await world.source.until_live(0)
        await stopping


def test_another_uvicorn_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uvicorn, "__version__", "0.55.0")
    with pytest.raises(RuntimeError, match="written for uvicorn"):
        uvicorn_options(ConnectionLimits())

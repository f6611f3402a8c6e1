"""Connections that send too much at once: each loses itself and nobody else.

It is long because there are many ways to send too much, and each wants the same few connections.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from unittest.mock import Mock

import pytest
from starlette.types import Receive, Scope, Send
from websockets.frames import Frame, Opcode

from server.callers.addresses import Peer
from server.callers.refusals import Refusals
from server.http.web_rules import STRICT
from server.wire.connection_limits import ConnectionLimits
from server.wire.open_connections import OpenConnections
from server.wire.uvicorn_protocol import PunctualHttp
from server.wire.uvicorn_websocket import PunctualWebSocket
from tests.server.wire.test_slow_connections import Clock, echo, opened, protocol_of, to_its_end
from tests.small.over_sockets import SocketWorld, serving, world_of_sockets
from tests.small.schema import PATIENCE

GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
UPGRADE = (
    b"GET /graphql HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n"
)
POST = b"POST / HTTP/1.1\r\nHost: here\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


class Held:
    """An application whose answers wait until they are let go, and that tells who left."""

    def __init__(self) -> None:
        self.asked = 0
        self.begun = asyncio.Event()
        self.let_go = asyncio.Event()
        self.left = asyncio.Event()
        self.headers: list[tuple[bytes, bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        self.begun.set()
        while (event := await receive()).get("more_body"):
            pass
        self.headers = list(scope["headers"])
        if event["type"] != "http.disconnect":
            leaving = asyncio.ensure_future(receive())
            going = asyncio.create_task(self.let_go.wait())
            await asyncio.wait({leaving, going}, return_when=asyncio.FIRST_COMPLETED)
            if not leaving.done():
                leaving.cancel()
                return await echo(scope, _no_body, send)
            going.cancel()
        self.left.set()
        return None


async def _no_body() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def test_requests_sent_ahead_are_answered_in_turn() -> None:
    held = Held()
    async with serving(held) as (_, port), opened(port) as (reader, writer), asyncio.timeout(PATIENCE):
        writer.write(GET * 9)
        await held.begun.wait()
        held.let_go.set()
        for _ in range(9):
            assert b" 200 " in await reader.readuntil(b"\r\n\r\n")


async def test_too_many_requests_sent_ahead_end_the_connection_and_the_one_that_is_answered() -> None:
    held = Held()
    async with serving(held) as (_, port), opened(port) as (reader, writer), asyncio.timeout(PATIENCE):
        writer.write(GET)
        await held.begun.wait()
        writer.write(GET * 1_000)
        with suppress(ConnectionError):
            assert await reader.read() == b""
        await held.left.wait()
        assert held.asked == 1


async def test_a_client_that_leaves_with_requests_sent_ahead_ends_the_one_that_is_answered() -> None:
    held = Held()
    async with serving(held) as (_, port), asyncio.timeout(PATIENCE):
        async with opened(port) as (_, writer):
            writer.write(GET * 2)
            await held.begun.wait()
        await held.left.wait()


async def test_a_socket_is_not_opened_where_an_answer_is_under_way() -> None:
    held = Held()
    async with serving(held) as (_, port), opened(port) as (reader, writer), asyncio.timeout(PATIENCE):
        writer.write(GET)
        await held.begun.wait()
        writer.write(UPGRADE + b"\r\n")
        with suppress(ConnectionError):
            assert await reader.read() == b""
        await held.left.wait()


async def test_a_trailer_is_no_header() -> None:
    held = Held()
    held.let_go.set()
    async with serving(held) as (_, port), opened(port) as (reader, writer), asyncio.timeout(PATIENCE):
        writer.write(
            b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"1\r\nx\r\n0\r\nX-Forwarded-For: 127.0.0.1\r\nAuthorization: Bearer x\r\n\r\n"
        )
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        assert held.headers == [(b"host", b"here"), (b"transfer-encoding", b"chunked")]


@pytest.mark.parametrize("hosts", [b"", b"Host: here\r\nHost: there\r\n"], ids=["none", "two"])
@pytest.mark.parametrize("rest", [b"\r\n", UPGRADE.partition(b"here\r\n")[2] + b"\r\n"], ids=["HTTP", "WebSocket"])
async def test_a_request_names_one_host(hosts: bytes, rest: bytes) -> None:
    assert await _is_bad(b"GET / HTTP/1.1\r\n" + hosts + rest)


@pytest.mark.parametrize(
    "request_head",
    [
        b"GET /livez\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: here\r\n\r\n",
        POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        UPGRADE.replace(b"Version: 13", b"Version: 12") + b"\r\n",
    ],
    ids=["HTTP/0.9", "HTTP/2", "packed chunks", "packed chunks in two lines", "another WebSocket"],
)
async def test_what_is_not_read_here_is_refused(request_head: bytes) -> None:
    assert await _is_bad(request_head)


async def _is_bad(sent: bytes) -> bool:
    """Whether what was sent gets 400 and the strict headers, or 426 where a version of WebSocket is wanted."""
    async with serving(echo) as (_, port), opened(port) as (reader, writer), asyncio.timeout(PATIENCE):
        writer.write(sent)
        head = (await to_its_end(reader)).partition(b"\r\n\r\n")[0].decode()
        strict = all(f"{name}: {value}" in head for name, value in STRICT.items())
        return strict and head.split(" ")[1] in {"400", "426"}


async def test_a_body_cut_into_specks_is_refused_while_others_are_answered() -> None:
    async with serving(echo) as (_, port), opened(port) as (reader, writer), asyncio.timeout(PATIENCE):
        writer.write(CHUNKED + b"1\r\n \r\n" * 50_000)
        assert b" 400 " in (await to_its_end(reader)).partition(b"\r\n")[0]
        async with opened(port) as (other, asking):
            asking.write(GET)
            assert b" 200 " in await other.readuntil(b"\r\n\r\n")


@pytest.mark.parametrize(("number", "size"), [(100, 1), (2_000, 64)])
async def test_a_body_in_few_chunks_or_in_large_ones_is_read(number: int, size: int) -> None:
    async with serving(echo) as (_, port), opened(port) as (reader, writer), asyncio.timeout(PATIENCE):
        writer.write(CHUNKED + b"%x\r\n%s\r\n" % (size, b"x" * size) * number + b"0\r\n\r\n")
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(number * size) == b"x" * number * size


def test_http_is_parsed_in_turns_and_no_more_is_read_meanwhile() -> None:
    turns = Turns()
    protocol = protocol_of(PunctualHttp, turns)
    protocol.data_received(POST + b"Content-Length: 50000\r\n\r\n" + b"x" * 50_000)
    assert len(protocol.cycle.body) < 5_000
    protocol.transport.pause_reading.assert_called_once()
    protocol.transport.resume_reading.assert_not_called()
    while turns.soon:
        turns.soon.pop()()
    assert len(protocol.cycle.body) == 50_000
    protocol.transport.resume_reading.assert_called_once()


@pytest.mark.parametrize("rest", [b"Content-Length: 9999999999\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"])
async def test_where_a_request_is_answered_before_it_has_ended_the_connection_ends(rest: bytes) -> None:
    async with serving(_deaf) as (_, port), opened(port) as (reader, writer), asyncio.timeout(PATIENCE):
        writer.write(POST + rest + b"4000\r\n" + b"x" * 16_000)
        head, _, body = (await to_its_end(reader)).partition(b"\r\n\r\n")
        assert b" 405 " in head
        assert b"connection: close" in head
        assert body == b""


def test_of_what_comes_after_the_last_answer_little_is_read_and_nothing_parsed() -> None:
    turns = Turns()
    protocol = protocol_of(PunctualHttp, turns)
    protocol.send_400_response("No.")
    protocol.parser = None
    protocol.transport.write_eof.assert_called_once()
    protocol.data_received(b"x" * protocol.limits.drained)
    protocol.transport.pause_reading.assert_not_called()
    protocol.data_received(b"x")
    protocol.transport.pause_reading.assert_called_once()
    assert turns.delays() == [protocol.limits.linger]
    turns.ring()
    protocol.transport.close.assert_called_once()


@pytest.mark.parametrize(
    "sent", [b"GET / HTTP/1.1\r\n\r\n", b"\r\nxx\r\n\r\n", UPGRADE.replace(b"Key", b"Kay") + b"\r\n"]
)
async def test_what_is_no_request_is_refused_as_late_as_its_address_is_refused_anything(sent: bytes) -> None:
    """It cannot be counted like a request; but who connects anew for each would take the time of others."""
    refusals = Slow()
    limits = ConnectionLimits(exempt=())
    async with (
        serving(echo, limits, refusals) as (_, port),
        opened(port) as (reader, writer),
        asyncio.timeout(PATIENCE),
    ):
        writer.write(sent)
        assert await refusals.asked.get() == "address:127.0.0.1"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(reading := asyncio.create_task(reader.read())), 0.01)
        refusals.due.set()
        assert b" 400 " in (await reading).partition(b"\r\n")[0]


async def _deaf(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 405, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


class Slow(Refusals):
    """Refusals that are due when the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: asyncio.Queue[str] = asyncio.Queue()
        self.due = asyncio.Event()

    async def hold(self, client: str) -> None:
        self.asked.put_nowait(client)
        await self.due.wait()


def test_a_new_connection_of_an_address_with_refusals_to_come_is_not_read_at_first() -> None:
    class Refused(PunctualHttp):
        refusals = Mock(backlog=Mock(return_value=3.0))

    turns = Turns()
    protocol = protocol_of(Refused, turns)
    turns.soon.pop()()
    protocol.transport.pause_reading.assert_called_once()
    assert protocol.limits.refused_pause in turns.delays()
    turns.ring()
    protocol.transport.resume_reading.assert_called_once()


def test_a_connection_too_many_is_not_read_and_ends_later() -> None:
    class Full(PunctualHttp):
        opened = Mock(admits=Mock(return_value=False))

    turns = Turns()
    protocol = protocol_of(Full, turns)
    turns.soon.pop()()
    protocol.transport.pause_reading.assert_called_once()
    protocol.transport.abort.assert_not_called()
    turns.ring()
    protocol.transport.abort.assert_called_once()


async def test_the_kernel_holds_little_for_a_peer_that_does_not_read() -> None:
    async with serving(echo) as (server, port), opened(port) as (reader, writer), asyncio.timeout(PATIENCE):
        writer.write(GET)
        await reader.readuntil(b"\r\n\r\n")
        (connection,) = server.server_state.connections
        sending = connection.transport.get_extra_info("socket")
        assert sending.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * ConnectionLimits().send_buffer


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        (b"Content-Length: 1\r\n\r\nx", b" 400 "),
        (b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b" 400 "),
        (b"X-Long: " + b"x" * 9_000 + b"\r\n\r\n", b" 431 "),
        (b"X-Many: x\r\n" * 200 + b"\r\n", b" 431 "),
    ],
    ids=["a length", "chunks", "a long header", "many headers"],
)
async def test_an_upgrade_that_cannot_be_read_is_refused_and_closed(rest: bytes, status: bytes) -> None:
    async with world_of_sockets() as world, opened(_port(world)) as (reader, writer):
        writer.write(UPGRADE + rest)
        assert status in (await to_its_end(reader)).partition(b"\r\n")[0]


async def test_a_handshake_that_is_not_answered_in_time_is_closed() -> None:
    async def never(_scope: Scope, receive: Receive, _send: Send) -> None:
        while (await receive())["type"] != "websocket.disconnect":
            pass

    limits = ConnectionLimits(head=0.1)
    async with serving(never, limits) as (_, port), opened(port) as (reader, writer):
        writer.write(UPGRADE + b"\r\n")
        with suppress(ConnectionError):
            assert await to_its_end(reader) == b""


@asynccontextmanager
async def shaken() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a WebSocket whose frames the test writes."""
    async with world_of_sockets() as world, opened(_port(world)) as (reader, writer):
        writer.write(UPGRADE + b"\r\n")
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        yield reader, writer


def _port(world: SocketWorld) -> int:
    return int(world.url.split(":")[2].split("/")[0])


TEXT, CONT, PING, PONG = Opcode.TEXT, Opcode.CONT, Opcode.PING, Opcode.PONG


@pytest.mark.parametrize(
    ("first", "frame"),
    [
        (b"", Frame(PONG, b"")),
        (b"", Frame(PING, b"")),
        (Frame(TEXT, b"x", fin=False).serialize(mask=True), Frame(CONT, b"", fin=False)),
        (Frame(TEXT, b"x", fin=False).serialize(mask=True), Frame(CONT, b"x", fin=False)),
    ],
    ids=["pongs", "pings", "empty continuations", "continuations of a byte"],
)
async def test_a_flood_of_frames_that_bring_nothing_closes_its_socket(first: bytes, frame: Frame) -> None:
    async with shaken() as (reader, writer):
        writer.write(first + frame.serialize(mask=True) * 50_000)
        with suppress(ConnectionError):
            await to_its_end(reader)


async def test_a_message_in_many_fragments_is_put_together() -> None:
    async with shaken() as (reader, writer), asyncio.timeout(PATIENCE):
        text = b'{"type":"connection_init"' + b" " * 400 + b"}"
        parts = [Frame(TEXT if n == 0 else CONT, text[n : n + 1], fin=False) for n in range(len(text) - 1)]
        writer.write(b"".join(part.serialize(mask=True) for part in parts))
        writer.write(Frame(CONT, text[-1:]).serialize(mask=True))
        assert b"connection_ack" in await reader.readuntil(b"}")


def test_frames_are_taken_in_turns_and_no_more_is_read_meanwhile() -> None:
    """What one read brings is cut, so that others run in between."""
    turns = Turns()
    protocol = protocol_of(PunctualWebSocket, turns)
    protocol.data_received(UPGRADE + b"\r\n")
    most = protocol.limits.frames
    pongs = Frame(PONG, b"x" * 20).serialize(mask=True) * most
    protocol.handshake_complete = True
    protocol.conn.send_response(protocol.response)
    protocol.data_received(pongs)
    protocol.transport.pause_reading.assert_called_once()
    assert protocol._frames_in_second < most / 2
    protocol.transport.resume_reading.reset_mock()
    while turns.soon:
        turns.soon.pop()()
    assert protocol._frames_in_second == most
    protocol.transport.resume_reading.assert_called_once()
    protocol.transport.close.assert_not_called()


def test_frames_are_counted_by_the_second() -> None:
    turns = Turns()
    protocol = protocol_of(PunctualWebSocket, turns)
    protocol.data_received(UPGRADE + b"\r\n")
    protocol.conn.send_response(protocol.response)
    pong = Frame(PONG, b"").serialize(mask=True)
    for _ in range(protocol.limits.frames):
        protocol.data_received(pong)
    turns.now = 1.0
    for _ in range(protocol.limits.frames):
        protocol.data_received(pong)
    protocol.transport.close.assert_not_called()
    protocol.data_received(pong)
    protocol.transport.close.assert_called()
    assert struct.pack("!H", 1008) in protocol.transport.write.call_args.args[0]


@pytest.mark.parametrize("sent", [GET, UPGRADE + b"\r\n"], ids=["HTTP", "WebSocket"])
async def test_an_address_may_have_so_many_connections_and_another_once_one_has_ended(sent: bytes) -> None:
    limits = ConnectionLimits(per_address=1, exempt=(), refused_pause=0.05)
    async with world_of_sockets(connection_limits=limits) as world, asyncio.timeout(PATIENCE):
        async with opened(_port(world)) as (reader, writer):
            writer.write(sent)
            await reader.readuntil(b"\r\n\r\n")
            async with opened(_port(world)) as (refused, _):
                with suppress(ConnectionError):
                    assert await refused.read() == b""
            connection: Any = next(iter(world.server.server_state.connections))
            lost = asyncio.Event()
            connection.connection_lost = _then(connection.connection_lost, lost)
        await lost.wait()
        async with opened(_port(world)) as (reader, writer):
            writer.write(sent)
            await reader.readuntil(b"\r\n\r\n")


def _then(call: Callable[[Exception | None], None], event: asyncio.Event) -> Callable[[Exception | None], None]:
    def called(exc: Exception | None) -> None:
        call(exc)
        event.set()

    return called


@pytest.mark.parametrize(
    ("one", "other"),
    [("192.0.2.1", "192.0.2.1"), ("192.0.2.1", "::ffff:192.0.2.1"), ("2001:db8::1", "2001:db8::2")],
)
def test_connections_of_one_client_count_together(one: str, other: str) -> None:
    counted = OpenConnections(ConnectionLimits(per_address=1))
    assert counted.admits(asyncio.Transport(), Peer.at(one))
    assert not counted.admits(asyncio.Transport(), Peer.at(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("192.0.2.1", "192.0.2.2"),
        ("2001:db8::1", "2001:db8:0:1::1"),
        ("127.0.0.1", "127.0.0.1"),
        ("::ffff:127.0.0.1", "::ffff:127.0.0.1"),
        ("::1", "::1"),
    ],
)
def test_connections_of_others_and_of_the_machine_itself_do_not(one: str, other: str) -> None:
    counted = OpenConnections(ConnectionLimits(per_address=1))
    assert counted.admits(asyncio.Transport(), Peer.at(one))
    assert counted.admits(asyncio.Transport(), Peer.at(other))


class Turns(Clock):
    """A clock that holds what was put off to the loop's next turn."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.soon: list[Any] = []

    def time(self) -> float:
        return self.now

    def call_soon(self, callback: Any) -> Any:
        self.soon.append(callback)
        return callback

"""An abuser in a process of its own: python -m tests.security.flooder URL HOST KIND CONNECTIONS.

It asks from HOST as fast as it can, in one of the ways of `KINDS`, says when it is cut off for the first time, and once
SIGTERM tells it to end, how often it got each status.
"""

import asyncio
import base64
import json
import os
import signal
import struct
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from urllib.parse import urlsplit

BODY = json.dumps({"query": "{ models(limit: 20) { id name } }"}).encode()
HEADERS = {"Content-Type": "application/json"}
PROMISED = (b"retry-after:", b"ratelimit:", b"ratelimit-remaining:", b"ratelimit-reset:")
"""The headers that every refusal must carry."""
REFUSED = ("429", "400")
AHEAD = 8
"""Requests that are sent before their answers are read, where they are pipelined."""

_INIT = b'{"type":"connection_init"}'
_OPERATION = b'{"type":"subscribe","id":"%d","payload":{"query":"{ models(limit: 20) { id name } }"}}'
_PAIR = (
    b'{"type":"subscribe","id":"%d","payload":{"query":"subscription{catalogueChanged{kind}}"}}',
    b'{"type":"complete","id":"%d"}',
)
_PING = b'{"type":"ping"}'

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Abuser:
    """What the ways of asking share: an address, what is left to ask, and what was seen.

    The answers are counted by status, and `mute` are refusals that do not say what the client may do.
    """

    def __init__(self, url: str, host: str, requests: int | None = None) -> None:
        self._at = urlsplit(url)
        self._host = host
        self._left: Iterator[int] = iter(range(requests)) if requests else count()
        self.seen: Counter[str] = Counter()
        fields = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
        length = f"Content-Length: {len(BODY)}\r\n"
        self._post = f"POST /graphql HTTP/1.1\r\nHost: {self._at.netloc}\r\n{fields}{length}\r\n".encode() + BODY

    async def run(self, kind: str, connections: int) -> Counter[str]:
        """Ask over so many connections until nothing is left to ask."""
        await asyncio.gather(*(self._ask(KINDS[kind]) for _ in range(connections)))
        return self.seen

    async def _ask(self, way: "Way") -> None:
        while True:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                async with self._connected() as streams:
                    await way(self, streams)
                    return

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Streams]:
        reader, writer = await asyncio.open_connection(self._at.hostname, self._at.port, local_addr=(self._host, 0))
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    async def requests(self, streams: Streams) -> None:
        """One request after the other."""
        for _ in self._left:
            await self._answers(streams, 1)

    async def reconnecting(self, streams: Streams) -> None:
        """Each request on a connection of its own."""
        streams[1].transport.abort()
        for _ in self._left:
            async with self._connected() as anew:
                await self._answers(anew, 1)

    async def leaving(self, streams: Streams) -> None:
        """Each request on a connection of its own that is closed before the answer."""
        streams[1].transport.abort()
        for _ in self._left:
            async with self._connected() as anew:
                anew[1].write(self._post)
                await asyncio.sleep(0)

    async def pipelined(self, streams: Streams) -> None:
        """Requests sent ahead of their answers."""
        for _ in self._left:
            await self._answers(streams, AHEAD)

    async def handshakes(self, streams: Streams) -> None:
        """Sockets that are closed as soon as they are open."""
        streams[1].transport.abort()
        for _ in self._left:
            async with self._connected() as anew:
                await self._handshake(anew)

    async def operations(self, streams: Streams) -> None:
        """Operations over one socket; after twenty, one for each answer."""
        await self._handshake(streams)
        reader, writer = streams
        writer.write(_frame(_INIT))
        await reader.readuntil(b"connection_ack")
        for number in self._left:
            writer.write(_frame(_OPERATION % number))
            await writer.drain()
            if number >= AHEAD:
                await self._message(reader)

    async def churn(self, streams: Streams) -> None:
        """Subscriptions over one socket, each completed in the same packet, whatever is answered."""
        await self._handshake(streams)
        reader, writer = streams
        writer.write(_frame(_INIT))
        await reader.readuntil(b"connection_ack")
        listening = asyncio.create_task(self._listen(reader))
        try:
            for number in self._left:
                writer.write(b"".join(_frame(message % number) for message in _PAIR))
                await writer.drain()
        finally:
            listening.cancel()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with suppress(ConnectionError):
            while heard := await reader.read(65_536):
                for _ in range(heard.count(b"RATE_LIMITED")):
                    self._count("429")

    async def health(self, streams: Streams) -> None:
        """Questions about the server's health, sent ahead of their answers."""
        for _ in self._left:
            await self._answers(streams, AHEAD, f"GET /livez HTTP/1.1\r\nHost: {self._at.netloc}\r\n\r\n".encode())

    async def nameless(self, streams: Streams) -> None:
        """Requests that name no host, each on a connection of its own."""
        await self._anew(streams, b"GET / HTTP/1.1\r\n\r\n")

    async def garbage(self, streams: Streams) -> None:
        """What is no HTTP, each time on a connection of its own."""
        await self._anew(streams, b"\r\nxx\r\n\r\n")

    async def broken_upgrades(self, streams: Streams) -> None:
        """Handshakes without a key, each on a connection of its own."""
        upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        await self._anew(streams, f"GET /graphql HTTP/1.1\r\nHost: {self._at.netloc}\r\n{upgrade}\r\n".encode())

    async def _anew(self, streams: Streams, sent: bytes) -> None:
        streams[1].transport.abort()
        for _ in self._left:
            async with self._connected() as (reader, writer):
                writer.write(sent)
                self._saw((await reader.readuntil(b"\r\n\r\n")).lower())

    async def messages(self, streams: Streams) -> None:
        """The protocol's own pings, without end."""
        await self._empty(streams, _frame(_PING))

    async def frames(self, streams: Streams) -> None:
        """Empty messages, without end."""
        await self._empty(streams, _frame(b""))

    async def _empty(self, streams: Streams, frame: bytes) -> None:
        await self._handshake(streams)
        reader, writer = streams
        for _ in self._left:
            writer.write(frame * 1_000)
            await writer.drain()
            with suppress(TimeoutError):
                async with asyncio.timeout(0):
                    if not await reader.read(65_536):
                        raise ConnectionError

    async def _answers(self, streams: Streams, number: int, request: bytes | None = None) -> None:
        reader, writer = streams
        writer.write((request or self._post) * number)
        for _ in range(number):
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n")[0]))
            self._saw(head)

    async def _handshake(self, streams: Streams) -> None:
        reader, writer = streams
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            f"GET /graphql HTTP/1.1\r\nHost: {self._at.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        self._saw(head)
        if b" 101 " not in head:
            raise ConnectionError

    async def _message(self, reader: asyncio.StreamReader) -> None:
        _, size = await reader.readexactly(2)
        if size == 126:
            (size,) = struct.unpack("!H", await reader.readexactly(2))
        refused = b"RATE_LIMITED" in await reader.readexactly(size)
        self._count("429" if refused else "200")

    def _saw(self, head: bytes) -> None:
        status = head.split(b" ", 2)[1].decode()
        if status == "429" and not all(name in head for name in PROMISED):
            self.seen["mute"] += 1
        self._count(status)

    def _count(self, status: str) -> None:
        self.seen[status] += 1
        if status in REFUSED and self.seen[status] == 1:
            print("cut off", flush=True)  # noqa: T201 - what was asked for


Way = Callable[[Abuser, Streams], Awaitable[None]]
KINDS: dict[str, Way] = {
    way.__name__: way
    for way in (
        Abuser.requests,
        Abuser.reconnecting,
        Abuser.leaving,
        Abuser.pipelined,
        Abuser.handshakes,
        Abuser.operations,
        Abuser.churn,
        Abuser.health,
        Abuser.nameless,
        Abuser.garbage,
        Abuser.broken_upgrades,
        Abuser.messages,
        Abuser.frames,
    )
}


def _frame(payload: bytes) -> bytes:
    """A client's text frame of less than 126 bytes; the mask is zero, which is a mask too."""
    return bytes((0x81, 0x80 | len(payload))) + bytes(4) + payload


async def main(url: str, host: str, kind: str, connections: str) -> None:
    """Flood until the end."""
    abuser = Abuser(url, host)
    flooding = asyncio.create_task(abuser.run(kind, int(connections)))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, flooding.cancel)
    with suppress(asyncio.CancelledError):
        await flooding
    print(json.dumps(abuser.seen))  # noqa: T201 - what was asked for


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

"""Spoilt answers: functions that reply to one request as a provider gone wrong does.

What is large is streamed, so that the practice upstream itself stays small.
"""

import asyncio
import contextlib
import functools
import socket
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import orjson
from aiohttp import web

from tests.practice.plays import MARKER, Provider, failure
from tests.practice.rows import openrouter_row

MEGABYTE = 1_000_000
HUGE_BYTES = 200 * MEGABYTE
BOMB_BYTES = 256 * MEGABYTE
ENDLESS_PAGES = 1_000_000
RETRY_SECONDS = 2
ABSURD_SECONDS = 10 * 365 * 86_400


@dataclass(frozen=True, slots=True)
class Scene:
    """What a fault needs to know: the request, the true answer that it spoils, and where another host listens."""

    provider: Provider
    request: web.Request
    true: web.Response
    elsewhere: str
    drip: float
    """Seconds between two bytes of a slow answer."""
    turn: int
    """How often this fault has been played, this time included."""
    count: Callable[[int], None]
    """Told the bytes handed to the socket, so that a test can see how soon a client stopped reading."""

    @property
    def body(self) -> bytes:
        """The bytes of the true answer."""
        return self.true.body if isinstance(self.true.body, bytes) else b""


async def server_error(scene: Scene) -> web.StreamResponse:
    return failure(scene.provider, 500, "Internal Server Error")


async def unauthorized(scene: Scene) -> web.StreamResponse:
    return failure(scene.provider, 401, "No auth credentials found")


async def forbidden(scene: Scene) -> web.StreamResponse:
    return failure(scene.provider, 403, "Key disabled")


def _limited(scene: Scene, retry_after: str) -> web.StreamResponse:
    headers = {"Retry-After": retry_after, "X-RateLimit-Limit": "20", "X-RateLimit-Remaining": "0"}
    return failure(scene.provider, 429, "Rate limit exceeded", headers)


async def rate_limited(scene: Scene) -> web.StreamResponse:
    return _limited(scene, str(RETRY_SECONDS))


async def rate_limited_until(scene: Scene) -> web.StreamResponse:
    until = datetime.now(UTC) + timedelta(seconds=RETRY_SECONDS)
    return _limited(scene, format_datetime(until, usegmt=True))


async def rate_limited_absurdly(scene: Scene) -> web.StreamResponse:
    return _limited(scene, str(ABSURD_SECONDS))


async def slow(scene: Scene) -> web.StreamResponse:
    async def drops() -> AsyncIterator[bytes]:
        for byte in scene.body:
            yield bytes((byte,))
            await asyncio.sleep(scene.drip)

    return await _stream(scene, drops(), length=len(scene.body))


async def hang(_: Scene) -> web.StreamResponse:
    await asyncio.Event().wait()
    return web.Response()


async def reset(scene: Scene) -> web.StreamResponse:
    response = await _begin(scene)
    if (transport := scene.request.transport) is not None:
        line = transport.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return response


async def truncated(scene: Scene) -> web.StreamResponse:
    response = await _begin(scene)
    if (transport := scene.request.transport) is not None:
        transport.close()
    return response


async def html(_: Scene) -> web.StreamResponse:
    page = f"<!DOCTYPE html><html><title>Just a moment...</title><body>{MARKER}</body></html>"
    return web.Response(text=page, content_type="text/html")


async def wrong_types(_: Scene) -> web.StreamResponse:
    body = {"object": ["list"], "data": {"0": MARKER}, "total_count": "many", "links": 7}
    return web.Response(body=orjson.dumps(body), content_type="application/json")


async def redirect(scene: Scene) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": scene.elsewhere + scene.request.path_qs})


async def endless_redirect(scene: Scene) -> web.StreamResponse:
    onward = scene.request.rel_url.update_query(hop=str(scene.turn))
    return web.Response(status=302, headers={"Location": str(onward)})


async def huge(scene: Scene) -> web.StreamResponse:
    row = orjson.dumps(openrouter_row("huge/row", description="x" * 1_000)) + b","
    block = row * (MEGABYTE // len(row))

    async def blocks() -> AsyncIterator[bytes]:
        yield b'{"data":['
        left = HUGE_BYTES
        while left > 0:
            yield block
            left -= len(block)
        yield b"null]}"

    return await _stream(scene, blocks())


async def gzip_bomb(scene: Scene) -> web.StreamResponse:
    bomb = await asyncio.to_thread(_bomb)

    async def once() -> AsyncIterator[bytes]:
        yield bomb

    return await _stream(scene, once(), length=len(bomb), encoding="gzip")


@functools.cache
def _bomb() -> bytes:
    squeeze = zlib.compressobj(level=1, wbits=31)
    blank = b" " * MEGABYTE
    parts = [squeeze.compress(b'{"data":[')]
    parts += [squeeze.compress(blank) for _ in range(BOMB_BYTES // MEGABYTE)]
    return b"".join([*parts, squeeze.compress(b"]}"), squeeze.flush()])


async def never_ending(scene: Scene) -> web.StreamResponse:
    async def blanks() -> AsyncIterator[bytes]:
        yield b'{"data":['
        while True:
            yield b" " * 65_536

    return await _stream(scene, blanks())


async def flapping(scene: Scene) -> web.StreamResponse:
    return await server_error(scene) if scene.turn % 2 else scene.true


async def wrong_charset(scene: Scene) -> web.StreamResponse:
    return web.Response(body=scene.body, headers={"Content-Type": "application/json; charset=utf-16"})


async def invalid_utf8(scene: Scene) -> web.StreamResponse:
    spoilt = scene.body.replace(b'"id":"', b'"id":"\xff\xfe')
    return web.Response(body=spoilt, headers={"Content-Type": "application/json; charset=utf-8"})


async def paging_loop(scene: Scene) -> web.StreamResponse:
    page = int(scene.request.query.get("offset", 0))
    onward = str(scene.request.url.update_query(offset=str(page + 1), limit="1"))
    return _page(f"endless/page-{page}", onward if page < ENDLESS_PAGES else None)


async def same_page(scene: Scene) -> web.StreamResponse:
    return _page("endless/same-page", str(scene.request.url.update_query(offset="1", limit="1")))


def _page(model_id: str, onward: str | None) -> web.Response:
    body = {"data": [openrouter_row(model_id)], "total_count": ENDLESS_PAGES, "links": {"next": onward}}
    return web.Response(body=orjson.dumps(body), content_type="application/json")


async def _begin(scene: Scene) -> web.StreamResponse:
    half = scene.body[: len(scene.body) // 2]
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = len(scene.body)
    await response.prepare(scene.request)
    await response.write(half)
    scene.count(len(half))
    return response


async def _stream(
    scene: Scene, chunks: AsyncIterator[bytes], *, length: int | None = None, encoding: str | None = None
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    if encoding:
        response.headers["Content-Encoding"] = encoding
    response.content_length = length
    with contextlib.suppress(ConnectionError):
        await response.prepare(scene.request)
        async for chunk in chunks:
            await response.write(chunk)
            scene.count(len(chunk))
            await asyncio.sleep(0)
    return response

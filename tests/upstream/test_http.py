"""One GET over real sockets: whatever the other side does, it ends in time, within memory, as a known error."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import ClientSession, web

from tests.turns import turns_beside
from tests.upstream.conftest import Serve
from upstream.errors import (
    Malformed,
    Rejected,
    Throttled,
    TimedOut,
    Unauthorized,
    Unreachable,
    UpstreamError,
)
from upstream.http import ReadLimits, get

KEY = {"Authorization": "Bearer sk-made-up"}


SECRET = "inner detail of the upstream"


RawServe = Callable[[Callable[[asyncio.StreamWriter], Awaitable[None]]], Awaitable[str]]


@pytest.fixture
async def raw() -> AsyncIterator[RawServe]:
    """Start a server that writes bytes as one function says, after a request has come."""
    servers: list[asyncio.Server] = []

    async def start(play: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> str:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            await play(writer)
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"

    yield start
    for server in servers:
        server.close()
        await server.wait_closed()


async def test_an_answer_comes_whole_with_headers_and_progress(client: ClientSession, serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer sk-made-up"
        assert request.headers["User-Agent"].startswith("model-catalogue/")
        response = web.Response(body=b"x" * 200_000, headers={"ETag": '"1"'})
        response.enable_compression()
        return response

    heard: list[int] = []
    answer = await get(client, await serve(handler), KEY, ReadLimits(timeout=5, received=heard.append))
    assert (answer.status, len(answer.body), answer.headers["etag"]) == (200, 200_000, '"1"')
    assert heard == sorted(heard)
    assert heard[-1] == 200_000
    assert answer.latency_ms > 0


async def test_not_modified_is_an_answer(client: ClientSession, serve: Serve) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=304)

    assert (await get(client, await serve(handler), {}, ReadLimits(timeout=5))).status == 304


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Rejected),
        (401, Unauthorized),
        (402, Rejected),
        (403, Unauthorized),
        (404, Rejected),
        (408, TimedOut),
        (429, Throttled),
        (500, Unreachable),
        (503, Unreachable),
        (529, Unreachable),
    ],
)
async def test_a_status_is_an_error_that_keeps_the_body_to_itself(
    client: ClientSession, serve: Serve, status: int, error: type[UpstreamError]
) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status, text=SECRET, headers={"Retry-After": "7"})

    with pytest.raises(error) as failed:
        await get(client, f"{await serve(handler)}models?key=sk-made-up", KEY, ReadLimits(timeout=5))
    assert SECRET not in failed.value.message
    assert "sk-made-up" not in failed.value.message
    assert failed.value.retry_after == (7.0 if error in {Throttled, Unreachable, TimedOut} else None)


async def test_a_body_past_the_cap_is_left_unread(client: ClientSession, serve: Serve) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65_536)
            sent += 65_536

    with pytest.raises(Malformed):
        await get(client, await serve(endless), {}, ReadLimits(max_bytes=1_000_000, timeout=10))
    assert sent < 20_000_000


async def test_where_a_part_is_enough_the_rest_is_hung_up_on(client: ClientSession, serve: Serve) -> None:
    gone = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 1_000)
                await asyncio.sleep(0)
        finally:
            gone.set()

    answer = await get(client, await serve(handler), {}, ReadLimits(enough=4_096, timeout=5))
    assert answer.status == 200
    assert 4_096 <= len(answer.body) <= 2 * 4_096
    async with asyncio.timeout(5):
        await gone.wait()


async def test_a_body_shorter_than_what_is_enough_comes_whole(client: ClientSession, serve: Serve) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=b"short")

    assert (await get(client, await serve(handler), {}, ReadLimits(enough=4_096, timeout=5))).body == b"short"


async def test_a_small_body_that_unpacks_to_a_huge_one_is_left_packed(client: ClientSession, serve: Serve) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b"\0" * 1_000_000) for _ in range(200)) + packer.flush()

    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    heard: list[int] = []
    with pytest.raises(Malformed):
        await get(client, await serve(handler), {}, ReadLimits(max_bytes=1_000_000, timeout=10, received=heard.append))
    assert max(heard, default=0) <= 1_000_000


async def test_a_body_that_unpacks_from_one_packet_does_not_hold_the_loop(client: ClientSession, serve: Serve) -> None:
    packed = zlib.compress(b" " * 8_000_000)

    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=packed, headers={"Content-Encoding": "deflate"})

    heard: list[int] = []
    url = await serve(handler)
    with turns_beside() as turns:
        await get(client, url, {}, ReadLimits(timeout=5, received=lambda _: heard.append(turns.taken)))
    assert len(set(heard)) == len(heard) > 100


async def test_a_body_that_cannot_be_unpacked_is_malformed(client: ClientSession, serve: Serve) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=b"no gzip at all", headers={"Content-Encoding": "gzip"})

    with pytest.raises(Malformed):
        await get(client, await serve(handler), {}, ReadLimits(timeout=5))


async def test_silence_ends_in_time(client: ClientSession, serve: Serve) -> None:
    asked, never = asyncio.Event(), asyncio.Event()

    async def handler(_: web.Request) -> web.Response:
        asked.set()
        await never.wait()
        return web.Response()

    url = await serve(handler)
    with pytest.raises(TimedOut):
        await get(client, url, {}, ReadLimits(timeout=0.2))
    assert asked.is_set()
    never.set()


async def test_a_body_that_trickles_ends_in_time(client: ClientSession, serve: Serve) -> None:
    never = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"{")
        await never.wait()
        return response

    url = await serve(handler)
    with pytest.raises(TimedOut):
        await get(client, url, {}, ReadLimits(timeout=0.2))
    never.set()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", Unreachable),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", Unreachable),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nshort", Unreachable),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Malformed),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", Malformed),
    ],
    ids=["nothing", "short", "short-chunk", "no-http", "huge-header"],
)
async def test_a_broken_answer_is_a_known_error(
    client: ClientSession, raw: RawServe, answer: bytes, error: type[UpstreamError]
) -> None:
    async def play(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    with pytest.raises(error):
        await get(client, await raw(play), {}, ReadLimits(timeout=5))


async def test_a_kept_connection_that_closes_without_an_answer_costs_one_call(
    client: ClientSession, serve: Serve
) -> None:
    calls = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        if calls > 1:
            assert request.transport is not None
            request.transport.close()
        return web.Response()

    url = await serve(handler)
    await get(client, url, {}, ReadLimits(timeout=5))
    with pytest.raises(Unreachable):
        await get(client, url, {}, ReadLimits(timeout=5))
    assert calls == 2


async def test_a_reset_is_a_lost_connection(client: ClientSession, raw: RawServe) -> None:
    async def play(writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    with pytest.raises(Unreachable):
        await get(client, await raw(play), {}, ReadLimits(timeout=5))


async def test_nobody_listening_is_a_known_error(client: ClientSession) -> None:
    server = await asyncio.start_server(lambda _, __: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    with pytest.raises(Unreachable):
        await get(client, f"http://127.0.0.1:{port}/", {}, ReadLimits(timeout=5))


@pytest.mark.parametrize("url", ["", "models", "http://", "http://[::1", "ftp://127.0.0.1/"])
async def test_a_url_that_cannot_be_called_is_refused(client: ClientSession, url: str) -> None:
    with pytest.raises(Rejected):
        await get(client, url, {}, ReadLimits(timeout=5))


async def test_a_key_that_cannot_be_sent_is_not_told(client: ClientSession, serve: Serve) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response()

    with pytest.raises(Rejected) as failed:
        await get(client, await serve(handler), {"Authorization": "Bearer sk\r\nX: made-up"}, ReadLimits(timeout=5))
    assert "made-up" not in str(failed.value)

"""The gate: answers say what is left of the rate, and sockets beyond a client's share do not open."""

import asyncio
import json

import httpx
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Message
from starlette.websockets import WebSocket

from server.callers.caller import Callers
from server.callers.client_limits import PROBE_BURST, ClientLimits
from server.callers.refusals import Refusals
from server.config.limits import Limits
from server.config.tokens import read_token
from server.http.client_gate import ClientGate
from server.http.origins import Origins
from tests.server.asked import Notes


def _gate(*, refusal: float = 0.0) -> ClientGate:
    limits = ClientLimits(
        Limits(connections=1, burst=10),
        exempt_loopback=False,
        clock=lambda: 0.0,
        refusals=Refusals(interval=refusal, longest=refusal),
    )
    callers = Callers(
        tokens=(read_token("ops:s3cret-0123456789"),),
        providers=(),
        limits=limits,
        secret=SecretStr("s" * 32),
        audit=Notes(),
    )

    async def http(request: Request) -> Response:
        async with limits.request(callers.of_request(request)):
            return PlainTextResponse("x")

    async def public(_: Request) -> Response:
        return PlainTextResponse("x", headers={"Cache-Control": "public, s-maxage=60"})

    async def alive(_: Request) -> Response:
        return PlainTextResponse("alive")

    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive()

    app = Starlette(
        routes=[Route("/", http), Route("/public", public), Route("/livez", alive), WebSocketRoute("/graphql", socket)]
    )
    return ClientGate(app, callers=callers, limits=limits, origins=Origins(), uncounted={"/livez"})


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(_gate()), base_url="http://catalogue.example")


class _Peer:
    """A WebSocket's peer that connects, hears what it is sent, and goes when told."""

    def __init__(self, *, extensions: bool = True, token: bytes | None = None, client: str = "192.0.2.1") -> None:
        self.scope = {
            "type": "websocket",
            "path": "/graphql",
            "headers": [(b"authorization", b"Bearer " + token)] if token else [],
            "query_string": b"",
            "subprotocols": [],
            "client": (client, 1),
            "extensions": {"websocket.http.response": {}} if extensions else {},
        }
        self.heard: asyncio.Queue[Message] = asyncio.Queue()
        self.said: asyncio.Queue[Message] = asyncio.Queue()
        self.said.put_nowait({"type": "websocket.connect"})

    async def run(self, gate: ClientGate) -> None:
        await gate(self.scope, self.said.get, self.heard.put)

    def go(self) -> None:
        self.said.put_nowait({"type": "websocket.disconnect", "code": 1000})


async def test_an_answer_says_what_is_left() -> None:
    client = _client()
    assert [(await client.get("/")).headers["ratelimit-remaining"] for _ in range(2)] == ["9", "8"]


async def test_an_answer_that_a_shared_cache_keeps_says_nothing_of_who_asked() -> None:
    client = _client()
    assert not [name for name in (await client.get("/public")).headers if name.startswith("ratelimit")]
    assert (await client.get("/")).headers["ratelimit-remaining"] == "8"


async def test_every_answer_counts_once_but_those_on_the_servers_health() -> None:
    client = _client()
    asked = [("GET", "/missing"), ("PUT", "/"), ("OPTIONS", "/"), ("GET", "/"), ("HEAD", "/")]
    left = [(await client.request(method, path)).headers["ratelimit-remaining"] for method, path in asked]
    assert left == ["9", "8", "7", "6", "5"]
    assert "ratelimit" not in (await client.get("/livez")).headers


async def test_whoever_has_nothing_left_is_refused_everything_but_the_servers_health() -> None:
    gate = _gate()
    client = httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://catalogue.example")
    for _ in range(10):
        await client.get("/missing")
    for method, path in (("GET", "/"), ("GET", "/missing"), ("PUT", "/"), ("OPTIONS", "/")):
        refused = await client.request(method, path)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert refused.json()["error"]["code"] == "RATE_LIMITED"
    assert (await client.post("/graphql")).json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert (await client.get("/livez")).status_code == 200
    peer = _Peer(client="127.0.0.1")
    await peer.run(gate)
    assert (await peer.heard.get())["status"] == 429


async def test_questions_about_the_servers_health_count_once_they_are_more_than_a_watch_needs() -> None:
    gate = _gate()
    client = httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://catalogue.example")
    answers = [await client.get("/livez") for _ in range(PROBE_BURST + 11)]
    assert ["ratelimit" in answer.headers for answer in answers] == [False] * PROBE_BURST + [True] * 11
    assert [answer.status_code for answer in answers[-2:]] == [200, 429]


async def test_handshakes_count_like_requests() -> None:
    gate = _gate()
    for _ in range(10):
        peer = _Peer()
        peer.go()
        await peer.run(gate)
        assert (await peer.heard.get())["type"] == "websocket.accept"
    late = _Peer()
    await late.run(gate)
    assert (await late.heard.get())["status"] == 429


async def test_one_socket_too_many_is_refused_with_429_until_another_closes() -> None:
    gate, first, second, third = _gate(), _Peer(), _Peer(), _Peer()
    running = asyncio.create_task(first.run(gate))
    assert (await first.heard.get())["type"] == "websocket.accept"
    await second.run(gate)
    start, body = await second.heard.get(), await second.heard.get()
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 429)
    assert (b"retry-after", b"1") in start["headers"]
    assert (b"ratelimit-remaining", b"8") in [(name.lower(), value) for name, value in start["headers"]]
    assert json.loads(body["body"])["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    first.go()
    await running
    third.go()
    await third.run(gate)
    assert (await third.heard.get())["type"] == "websocket.accept"


async def test_a_refusal_of_graphql_has_the_media_type_that_is_accepted() -> None:
    client = httpx.AsyncClient(transport=httpx.ASGITransport(_gate()), base_url="http://catalogue.example")
    for _ in range(10):
        await client.get("/missing")
    for accepted, media_type in (
        ("*/*", "application/json"),
        ("application/graphql-response+json, application/json", "application/graphql-response+json"),
    ):
        refused = await client.post("/graphql", headers={"Accept": accepted})
        assert (refused.status_code, refused.headers["content-type"]) == (429, f"{media_type}; charset=utf-8")


async def test_a_refusal_is_held_back_while_others_are_answered() -> None:
    """Whoever asks as fast as it is refused gets no more than a few refusals a second."""
    client = httpx.AsyncClient(transport=httpx.ASGITransport(_gate(refusal=60.0)), base_url="http://catalogue.example")
    assert [(await client.get("/")).status_code for _ in range(10)] == [200] * 10
    refused = asyncio.create_task(client.get("/"))
    assert (await client.get("/livez")).status_code == 200
    done, _ = await asyncio.wait({refused}, timeout=0.01)
    assert not done
    refused.cancel()
    assert isinstance((await asyncio.gather(refused, return_exceptions=True))[0], asyncio.CancelledError)


async def test_where_the_server_cannot_say_429_the_handshake_is_refused() -> None:
    gate, first, second = _gate(), _Peer(), _Peer(extensions=False)
    running = asyncio.create_task(first.run(gate))
    assert (await first.heard.get())["type"] == "websocket.accept"
    await second.run(gate)
    assert (await second.heard.get())["type"] == "websocket.close"
    first.go()
    await running


async def test_a_token_has_a_share_of_its_own_and_a_wrong_one_has_none() -> None:
    gate, first, guest, holder = _gate(), _Peer(), _Peer(token=b"wrong"), _Peer(token=b"s3cret-0123456789")
    running = asyncio.create_task(first.run(gate))
    assert (await first.heard.get())["type"] == "websocket.accept"
    await guest.run(gate)
    assert (await guest.heard.get())["status"] == 429
    holder.go()
    await holder.run(gate)
    assert (await holder.heard.get())["type"] == "websocket.accept"
    first.go()
    await running

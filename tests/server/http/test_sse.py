"""Event streams: when, in which frames, and to what end."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import httpx
import orjson
import pytest
from starlette.types import Message

from execution.answer import Answer, Outcome
from server.http.graphql_sse import EventStream, once
from tests.small.over_http import EVENTS, GRAPHQL, HttpWorld

URQL = f"{GRAPHQL}, application/graphql+json, application/json, text/event-stream, multipart/mixed"


def events(response: httpx.Response) -> list[dict[str, str]]:
    """Read the frames, comments left out."""
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "\r" not in response.text
    blocks = [block for block in response.text.split("\n\n") if block and not block.startswith(":")]
    return [dict(line.split(":", 1) for line in block.split("\n")) for block in blocks]


async def test_a_subscription_gives_an_event_each_with_its_cursor_and_then_completes() -> None:
    response = await HttpWorld().post("subscription { count(target: 2) }", EVENTS)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert events(response) == [
        {"event": " next", "id": " c0", "data": ' {"data":{"count":0}}'},
        {"event": " next", "id": " c1", "data": ' {"data":{"count":1}}'},
        {"event": " complete", "data": ""},
    ]


async def test_a_subscription_streams_where_events_are_named_last() -> None:
    response = await HttpWorld().get(URQL, query="subscription { count(target: 1) }")
    assert [event["event"] for event in events(response)] == [" next", " complete"]


@pytest.mark.parametrize("query", ["{ __typename }", "{ nope }", "{", "mutation { publish }"])
async def test_other_operations_stream_only_where_events_rank_first(query: str) -> None:
    world = HttpWorld()
    assert (await world.post(query, URQL)).headers["content-type"] == f"{GRAPHQL}; charset=utf-8"
    response = await world.post(query, EVENTS)
    assert response.status_code == 200
    assert [event["event"] for event in events(response)] == [" next", " complete"]


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("subscription { fail }", [None, "INTERNAL"]),
        ('subscription { refuse(provider: "x") }', ["UNKNOWN_PROVIDER"]),
    ],
)
async def test_a_source_that_breaks_is_told_and_the_stream_completes(query: str, codes: list[str | None]) -> None:
    world = HttpWorld()
    *sent, last = events(await world.post(query, EVENTS))
    results = [orjson.loads(event["data"]) for event in sent]
    assert last["event"] == " complete"
    assert [result["errors"][0]["extensions"]["code"] if "errors" in result else None for result in results] == codes
    assert len(world.reported) == codes.count("INTERNAL")
    assert "secret" not in str(sent)


async def test_a_body_that_is_no_request_is_refused_without_a_stream() -> None:
    async with HttpWorld().client() as client:
        headers = {"accept": EVENTS, "content-type": "application/json"}
        response = await client.post("/graphql", content=b"{nope", headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (400, "application/json; charset=utf-8")


class _Client:
    """The client's end of one stream, over ASGI."""

    def __init__(self, *, takes_events: bool) -> None:
        self.takes_events = takes_events
        self.offered = asyncio.Event()
        self.frames: asyncio.Queue[bytes] = asyncio.Queue()
        self.left = asyncio.Event()
        self.body = orjson.dumps({"query": "subscription { events }"})

    async def receive(self) -> Message:
        if self.body:
            body, self.body = self.body, b""
            return {"type": "http.request", "body": body}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            if message["body"].startswith(b"event"):
                self.offered.set()
                if not self.takes_events:
                    await asyncio.Event().wait()
            await self.frames.put(message["body"])


@asynccontextmanager
async def _listening(
    world: HttpWorld, *, takes_events: bool = True
) -> AsyncIterator[tuple[_Client, asyncio.Task[None]]]:
    client = _Client(takes_events=takes_events)
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"accept", EVENTS.encode())],
    }
    serving = asyncio.create_task(world.app(scope, client.receive, client.send))
    try:
        yield client, serving
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def test_the_head_leaves_before_there_is_an_event() -> None:
    async with asyncio.timeout(30), _listening(HttpWorld()) as (client, _):
        assert await client.frames.get() == b":\n\n"


async def test_a_client_that_leaves_closes_the_source_and_its_admission() -> None:
    world = HttpWorld()
    async with asyncio.timeout(30), _listening(world) as (client, serving):
        await world.source.until_live(1)
        assert (world.source.live, world.admitted, world.streaming) == (1, 0, 1)
        client.left.set()
        await serving
    assert (world.source.live, world.streaming) == (0, 0)


async def test_an_event_is_asked_for_only_when_the_last_one_was_taken() -> None:
    world = HttpWorld()
    world.source.size = 1
    async with asyncio.timeout(30), _listening(world, takes_events=False) as (client, _):
        await client.offered.wait()
        assert world.source.pulled == 0


async def test_silence_is_filled_with_comments() -> None:
    gate = asyncio.Event()

    async def silent() -> AsyncGenerator[Answer, None]:
        await gate.wait()
        yield Answer(b"{}", Outcome.OK)

    sent: asyncio.Queue[bytes] = asyncio.Queue()

    async def send(message: Message) -> None:
        await sent.put(message.get("body", b""))

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    stream = EventStream(silent(), keep_alive=0.001)
    async with asyncio.timeout(30):
        serving = asyncio.create_task(stream({}, receive, send))
        frames = [await sent.get() for _ in range(4)]
        assert frames[1:] == [b":\n\n"] * 3
        gate.set()
        await serving


async def test_a_stream_of_one_answer_ends() -> None:
    assert [answer.body async for answer in once(Answer(b"{}", Outcome.OK))] == [b"{}"]

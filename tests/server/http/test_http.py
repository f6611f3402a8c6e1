"""GraphQL over HTTP: status codes, caching, refusals and clients that leave.

It is long because each rule of the protocol is a sentence of its own, asked of one small world.
"""

import asyncio
import hashlib
import time
from collections.abc import Mapping
from typing import Any

import httpx
import orjson
import pytest
from starlette.types import Message

from catalogue.errors import BadUserInput, ClientError, Forbidden, RateLimited, Unauthenticated
from execution.limits import DocumentLimits
from execution.persisted import PersistedDocuments
from tests.effort import unit
from tests.small.over_http import EVENTS, GRAPHQL, JSON, HttpWorld

STATUSES: list[tuple[Mapping[str, Any], int, int]] = [
    ({"query": "{ __typename }"}, 200, 200),
    ({"query": "{ boom __typename }"}, 294, 200),
    ({"query": "{ bang }"}, 294, 200),
    ({"query": "{"}, 400, 200),
    ({"query": ""}, 400, 200),
    ({"query": "{ nope }"}, 422, 200),
    ({"query": "query($n: Int!) { changes(first: $n) { id } }", "variables": {"n": "x"}}, 422, 200),
    ({"query": "query A { __typename } query B { __typename }"}, 422, 200),
    ({"query": "query A { __typename }", "operationName": "B"}, 422, 200),
    ({"query": "{ models { provider { models { id } } } }"}, 422, 200),
    ({"documentId": "sha256:" + "0" * 64}, 404, 200),
    ({}, 422, 422),
    ({"query": 7}, 422, 422),
    ({"query": "{ __typename }", "variables": [7]}, 422, 422),
    ({"query": "{ __typename }", "operationName": {}}, 422, 422),
    ({"query": "{ __typename }", "extensions": {"persistedQuery": {"version": 2}}}, 422, 422),
]


@pytest.mark.parametrize(("body", "status", "legacy"), STATUSES)
async def test_the_status_says_how_the_request_came_out(body: Mapping[str, Any], status: int, legacy: int) -> None:
    async with HttpWorld().client() as client:
        for accept, expected in ((GRAPHQL, status), (JSON, legacy)):
            response = await client.post("/graphql", json=body, headers={"accept": accept})
            assert response.status_code == expected
            assert response.headers["content-type"] == f"{accept}; charset=utf-8"
            ran = status in {200, 294}
            assert ("data" in response.json()) is ran
            assert all(error["extensions"]["code"] for error in response.json().get("errors", ()))


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
async def test_another_method_is_refused_with_those_that_work(method: str) -> None:
    async with HttpWorld().client() as client:
        response = await client.request(method, "/graphql")
    assert response.status_code == 405
    assert response.headers["allow"] == "HEAD, GET, POST"


@pytest.mark.parametrize("accept", [GRAPHQL, JSON, EVENTS])
async def test_a_mutation_by_get_is_refused_and_not_run(accept: str) -> None:
    world = HttpWorld()
    response = await world.get(accept, query="mutation { publish }")
    assert (response.status_code, response.headers["allow"], world.source.mutations) == (405, "POST", 0)


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json;charset=UTF-8", 200),
        ('application/json; charset="utf-8"', 200),
        ("application/json; charset=latin-1", 415),
        ("application/json;charset=utf-8;charset=latin-1", 415),
        ("application/json;charset=utf-8;" + "a" * 2_000, 415),
        ("application/jsonp", 415),
        ("text/plain", 415),
        ("text/plain;application/json", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("", 415),
    ],
)
async def test_only_json_in_utf_8_is_read(content_type: str, status: int) -> None:
    async with HttpWorld().client() as client:
        response = await client.post(
            "/graphql", content=b'{"query":"{__typename}"}', headers={"content-type": content_type}
        )
    assert response.status_code == status


async def test_a_content_type_without_end_is_refused_at_once() -> None:
    hostile = 'application/json;a="' + '\\"' * 40_000 + ";" * 40_000
    async with HttpWorld().client() as client:
        before = time.thread_time()
        response = await client.post("/graphql", content=b"{}", headers={"content-type": hostile})
        assert time.thread_time() - before < 1_000 * unit()
    assert response.status_code == 415


@pytest.mark.parametrize("tags", ['W/"a", {tag}', "W/{tag}", "*", " * "])
async def test_any_of_the_known_tags_spares_the_answer(tags: str) -> None:
    async with HttpWorld().client() as client:
        tag = (await client.get("/graphql?query={model{name}}")).headers["etag"]
        again = await client.get("/graphql?query={model{name}}", headers={"if-none-match": tags.format(tag=tag)})
    assert again.status_code == 304


async def test_nothing_acceptable_is_said_before_anything_runs() -> None:
    world = HttpWorld()
    response = await world.post("mutation { publish }", accept="image/png")
    assert (response.status_code, world.source.mutations) == (406, 0)


async def test_a_subscription_needs_a_stream() -> None:
    response = await HttpWorld().post("subscription { count(target: 1) }", accept="*/*")
    assert response.status_code == 406
    assert "text/event-stream" in response.json()["errors"][0]["message"]


async def test_empty_parameters_of_a_get_are_absent() -> None:
    response = await HttpWorld().get(query="{ __typename }", operationName="", variables="", extensions="")
    assert response.json() == {"data": {"__typename": "Query"}}


async def test_variables_of_a_get_are_json() -> None:
    world = HttpWorld()
    query = "query($n: Int!) { changes(first: $n) { id } }"
    assert (await world.get(query=query, variables='{"n":1}')).json() == {"data": {"changes": [{"id": "p/0"}]}}
    assert (await world.get(query=query, variables="{n}")).status_code == 400


async def test_a_public_get_may_be_cached_and_is_not_sent_twice() -> None:
    world = HttpWorld()
    first = await world.get(query="{ model { id } }")
    assert first.headers["cache-control"] == "public, s-maxage=60, stale-while-revalidate=600"
    assert set(first.headers["vary"].split(", ")) >= {"Accept", "Authorization", "X-Provider-Keys"}
    tag = first.headers["etag"]
    for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        again = await world.get(query="{ model { id } }", headers={"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert (await world.get(query="{ model { id } }", headers={"if-none-match": '"other"'})).status_code == 200
    assert (await world.get(JSON, query="{ model { id } }")).headers["etag"] != tag


async def test_a_private_answer_is_kept_by_nobody() -> None:
    world = HttpWorld()
    for response in (await world.get(query="{ own }"), await world.post("{ own }")):
        assert response.json() == {"data": {"own": "caller"}}
        assert response.headers["cache-control"] == "private, no-store"
        assert "etag" not in response.headers


@pytest.mark.parametrize("query", ["{ boom }", "{ nope }", "{", "mutation { publish }"])
async def test_an_error_is_not_cached(query: str) -> None:
    for accept in (GRAPHQL, JSON):
        response = await HttpWorld().get(accept, query=query)
        assert response.headers["cache-control"] == "no-store"


async def test_a_body_past_the_limit_is_not_read_to_its_end() -> None:
    read = 0

    async def receive() -> Message:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"x" * 65_536, "more_body": True}

    status, _ = await _call(HttpWorld(), receive)
    assert (status, read) == (413, 5)


async def test_a_body_declared_past_the_limit_is_not_read_at_all() -> None:
    async def receive() -> Message:
        raise AssertionError

    status, _ = await _call(HttpWorld(), receive, (b"content-length", b"5000000"))
    assert status == 413


async def test_a_long_query_string_is_refused() -> None:
    response = await HttpWorld().get(query="{__typename}#" + "x" * 20_000)
    assert response.status_code == 414


@pytest.mark.parametrize(
    ("refusal", "status", "header"),
    [
        (Unauthenticated("No such token."), 401, ("www-authenticate", "Bearer")),
        (Forbidden("The token may not do this."), 403, None),
        (RateLimited("Too many requests.", retry_after=1.2), 429, ("retry-after", "2")),
        (BadUserInput("X-Provider-Keys must be a JSON object."), 400, None),
    ],
)
async def test_a_caller_who_may_not_ask_is_told_in_the_words_of_http(
    refusal: ClientError, status: int, header: tuple[str, str] | None
) -> None:
    response = await HttpWorld(refusal=refusal).post("{ __typename }")
    assert response.status_code == status
    assert response.json()["errors"] == [{"message": refusal.message, "extensions": dict(refusal.extensions)}]
    assert header is None or response.headers[header[0]] == header[1]


async def test_a_client_that_leaves_cancels_its_query() -> None:
    world = HttpWorld()
    sent = iter([{"type": "http.request", "body": orjson.dumps({"query": "{ wait }"})}])

    async def receive() -> Message:
        message = next(sent, None)
        if message is None:
            await world.source.started.wait()
            return {"type": "http.disconnect"}
        return message

    assert await _call(world, receive) == (None, b"")
    assert (world.source.cancelled, world.admitted) == (1, 0)


async def test_a_query_ends_with_its_time() -> None:
    world = HttpWorld(limits=DocumentLimits(seconds=0.01))
    response = await world.post("{ wait }")
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (503, "TIMEOUT")
    assert world.source.cancelled == 1


async def test_a_caller_is_admitted_until_the_answer_is_sent() -> None:
    world = HttpWorld()
    running = asyncio.create_task(world.post("{ wait }"))
    await world.source.started.wait()
    assert world.admitted == 1
    world.source.released.set()
    assert (await running).json() == {"data": {"wait": "done"}}
    assert world.admitted == 0


def _hashed(query: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(query.encode()).hexdigest()}}


async def test_a_persisted_query_is_asked_for_once_and_then_known_by_its_hash() -> None:
    world = HttpWorld()
    query = "{ model { name } }"
    unknown = await world.post(None, JSON, extensions=_hashed(query))
    assert unknown.status_code == 200
    assert unknown.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
    assert unknown.json()["errors"][0]["message"] == "PersistedQueryNotFound"
    assert (await world.post(query, extensions=_hashed(query))).json()["data"]
    assert (await world.post(None, extensions=_hashed(query))).json() == {"data": {"model": {"name": "Model 0"}}}
    by_get = await world.get(extensions=orjson.dumps(_hashed(query)).decode())
    assert by_get.json() == {"data": {"model": {"name": "Model 0"}}}
    assert by_get.headers["etag"]


async def test_long_texts_run_and_drive_out_nobodys_document() -> None:
    world = HttpWorld()
    await world.post("{ model { name } }", extensions=_hashed("{ model { name } }"))
    for number in range(5):
        query = f"{{ __typename }} #{number}" + "x" * 250_000
        assert (await world.post(query, extensions=_hashed(query))).json()["data"]
    assert (await world.post(None, extensions=_hashed("{ model { name } }"))).json()["data"]


async def test_a_text_of_another_hash_is_refused_and_not_kept() -> None:
    world = HttpWorld()
    response = await world.post("{ model { id } }", extensions=_hashed("{ model { name } }"))
    assert response.status_code == 422
    again = await world.post(None, extensions=_hashed("{ model { name } }"))
    assert again.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"


async def test_with_an_allow_list_only_its_documents_run() -> None:
    listed = "{ model { name } }"
    digest = hashlib.sha256(listed.encode()).hexdigest()
    world = HttpWorld(persisted=PersistedDocuments({digest: listed}))
    assert (await world.post(listed)).json()["data"]
    assert (await world.post(None, documentId=f"sha256:{digest}")).json()["data"]
    other = await world.post("{ model { id } }")
    assert other.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_ONLY"
    registering = await world.post("{ model { id } }", extensions=_hashed("{ model { id } }"))
    assert registering.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_ONLY"


async def test_head_is_a_get_without_subscriptions() -> None:
    async with HttpWorld().client() as client:
        found = await client.head("/graphql", params={"query": "{ __typename }"})
        refused = await client.head("/graphql", params={"query": "subscription { count(target: 1) }"})
    assert (found.status_code, refused.status_code) == (200, 405)
    assert isinstance(found, httpx.Response)


async def _call(world: HttpWorld, receive: Any, *headers: tuple[bytes, bytes]) -> tuple[int | None, bytes]:
    """Speak ASGI directly: the status, None where nothing was sent, and the body."""
    status: int | None = None
    body = b""

    async def send(message: Message) -> None:
        nonlocal status, body
        status = message.get("status", status)
        body += message.get("body", b"")

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"accept", GRAPHQL.encode()), *headers],
    }
    await world.app(scope, receive, send)
    return status, body

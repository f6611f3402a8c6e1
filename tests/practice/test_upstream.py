"""The practice upstream plays its parts as it says, so that other tests may lean on it."""

import asyncio
import tomllib
from collections.abc import Callable
from typing import Any

import aiohttp
import orjson
import pytest

from tests.practice.client import SECONDS, Client, key
from tests.practice.control import routes
from tests.practice.faults import Fault
from tests.practice.log import fingerprint
from tests.practice.plays import Envelope
from tests.practice.rows import big_list, openai_row, openrouter_endpoint, openrouter_row, requesty_row
from tests.practice.upstream import PracticeUpstream

PLAYED = ("openrouter", "requesty", "practice")


@pytest.mark.parametrize("name", PLAYED)
async def test_every_provider_lists_distinct_models(client: Client, name: str) -> None:
    got = await client.get(name)
    assert got.status == 200
    assert len(got.ids) == len(set(got.ids)) > 3


async def test_openrouter_lists_models_without_text_output_only_when_asked_for_all(client: Client) -> None:
    usual, everything = await client.get("openrouter"), await client.get("openrouter", "/models?output_modalities=all")
    assert set(everything.ids) - set(usual.ids) == {"flux/image-practice"}


async def test_openrouter_pages_by_links_next_until_every_model_was_given(
    client: Client, upstream: PracticeUpstream
) -> None:
    upstream.provider("openrouter").page_size = 4
    onward, ids = "/models?output_modalities=all", []
    while onward:
        got = await client.get("openrouter", onward)
        ids += got.ids
        onward = got.json["links"]["next"]
    assert ids == [row["id"] for row in upstream.provider("openrouter").rows]
    assert len(upstream.log) == 3


async def test_openrouter_gives_a_models_endpoints_by_its_id_and_404_for_another(
    client: Client, upstream: PracticeUpstream
) -> None:
    upstream.provider("openrouter").endpoints["openai/practice-5"] = [
        openrouter_endpoint("openai/practice-5", "Acme", status=-5)
    ]
    got = await client.get("openrouter", "/models/openai/practice-5/endpoints")
    assert [endpoint["status"] for endpoint in got.json["data"]["endpoints"]] == [-5]
    assert (await client.get("openrouter", "/models/openai/none/endpoints")).status == 404


@pytest.mark.parametrize(("name", "rejected"), [("openrouter", 401), ("requesty", 403)])
async def test_a_key_check_tells_valid_from_unknown_from_missing(
    client: Client, upstream: PracticeUpstream, name: str, rejected: int
) -> None:
    upstream.set_keys(name, {"good": None})
    url = upstream.health_url(name)
    statuses = [(await client.get(name, url, **headers)).status for headers in (key("good"), key("bad"), {})]
    assert statuses == [200, rejected, 401]


def test_the_settings_name_a_key_check_only_where_there_are_keys() -> None:
    upstream = PracticeUpstream(9)
    assert "health_url" not in upstream.toml()
    upstream.set_keys("requesty", {"good": None})
    providers = tomllib.loads(upstream.toml())["providers"]
    assert {name for name, table in providers.items() if "health_url" in table} == {"requesty"}
    assert all(table["base_url"] == upstream.base_url(name) for name, table in providers.items())


async def test_a_key_sees_the_list_approved_for_it(client: Client, upstream: PracticeUpstream) -> None:
    upstream.set_keys("requesty", {"one": [requesty_row("acme/only")], "all": None})
    assert (await client.get("requesty", **key("one"))).ids == ["acme/only"]
    assert len((await client.get("requesty", **key("all"))).ids) == len((await client.get("requesty")).ids) > 1


async def test_a_compatible_server_that_requires_a_key_answers_401_without_one(
    client: Client, upstream: PracticeUpstream
) -> None:
    upstream.set_keys("practice", {"good": None}, required=True)
    assert (await client.get("practice")).status == 401
    assert (await client.get("practice", **key("good"))).status == 200


@pytest.mark.parametrize(
    ("envelope", "rows_of"),
    [
        ("data", lambda body: body["data"]),
        ("models", lambda body: body["models"]),
        ("items", lambda body: body["items"]),
        ("array", lambda body: body),
        ("null", lambda body: body["data"] or [openai_row("one")]),
    ],
)
async def test_a_compatible_server_wraps_its_list_as_told(
    client: Client, upstream: PracticeUpstream, envelope: Envelope, rows_of: Callable[[Any], Any]
) -> None:
    upstream.set_list("practice", [openai_row("one")])
    upstream.provider("practice").envelope = envelope
    assert [row["id"] for row in rows_of((await client.get("practice")).json)] == ["one"]


async def test_an_unchanged_list_is_answered_304_and_a_changed_one_in_full(
    client: Client, upstream: PracticeUpstream
) -> None:
    etag = (await client.get("openrouter")).headers["ETag"]
    again = await client.get("openrouter", **{"If-None-Match": etag})
    assert (again.status, again.body) == (304, b"")
    upstream.set_list("openrouter", [openrouter_row("acme/new")])
    assert (await client.get("openrouter", **{"If-None-Match": etag})).ids == ["acme/new"]


async def test_the_log_keeps_a_fingerprint_of_a_key_and_not_the_key(client: Client, upstream: PracticeUpstream) -> None:
    await client.get("requesty", "/models?a=1", Authorization="Bearer sk-secret")
    (seen,) = upstream.seen("requesty", "/models")
    assert seen.headers["Authorization"] == fingerprint("Bearer sk-secret")
    assert (seen.method, seen.path, seen.query) == ("GET", "/v1/models", {"a": "1"})
    assert "sk-secret" not in repr(upstream.log)


async def test_a_held_request_stays_in_flight_until_released(client: Client, upstream: PracticeUpstream) -> None:
    upstream.hold("openrouter", "/models")
    waiting = asyncio.create_task(client.get("openrouter"))
    await upstream.arrived(1, "openrouter", "/models")
    assert upstream.in_flight == 1
    assert not waiting.done()
    upstream.release("openrouter")
    assert (await waiting).status == 200


async def test_a_fault_ends_after_its_times_and_touches_its_path_alone(
    client: Client, upstream: PracticeUpstream
) -> None:
    upstream.set_fault("openrouter", Fault.SERVER_ERROR, path="/models", times=1)
    assert (await client.get("openrouter", "/key")).status == 401
    assert [(await client.get("openrouter")).status for _ in range(2)] == [500, 200]
    assert (await client.get("requesty")).status == 200


async def test_clear_mends_everything(client: Client, upstream: PracticeUpstream) -> None:
    upstream.set_fault("openrouter", Fault.HANG)
    upstream.hold("requesty")
    upstream.clear()
    assert [(await client.get(name)).status for name in PLAYED] == [200] * 3


async def test_a_stopped_upstream_refuses_and_comes_back_on_its_port(
    client: Client, upstream: PracticeUpstream
) -> None:
    await upstream.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.get("openrouter")
    await upstream.start()
    assert (await client.get("openrouter")).status == 200


async def test_the_control_endpoint_sets_faults_and_lists_and_shows_the_log() -> None:
    upstream = PracticeUpstream()
    await upstream.start(*routes(upstream))
    root = f"http://127.0.0.1:{upstream.port}"
    try:
        async with aiohttp.ClientSession(timeout=SECONDS) as session:
            await session.put(f"{root}/_list/openrouter", data=orjson.dumps([openrouter_row("acme/put")]))
            assert (await Client(session, upstream).get("openrouter")).ids == ["acme/put"]
            answer = await session.post(f"{root}/_control", json={"provider": "openrouter", "fault": "500"})
            assert await answer.json() == {"openrouter": ["500"]}
            assert (await Client(session, upstream).get("openrouter")).status == 500
            assert (await session.post(f"{root}/_control", json={"provider": "x", "fault": "nonsense"})).status == 400
            log = await (await session.get(f"{root}/_log")).json()
            assert [seen["path"] for seen in log] == ["/api/v1/models"] * 2
    finally:
        await upstream.stop()


def test_a_big_list_is_distinct_and_the_same_every_time() -> None:
    rows = big_list(500)
    assert len({row["id"] for row in rows}) == 500
    assert rows == big_list(500)


async def test_an_echoing_provider_repeats_the_key_in_bodies_errors_and_headers(client: Client) -> None:
    client.upstream.provider("practice").echoes = ("Authorization",)
    got = await client.get("practice", Authorization="Bearer made-up")
    assert got.ids[0] == "made-up-practice-large"
    assert (got.headers["ETag"], got.headers["X-Echo"]) == ('W/"made-up"', "Bearer made-up")
    client.upstream.set_fault("practice", Fault.SERVER_ERROR)
    failed = await client.get("practice", Authorization="Bearer made-up")
    assert failed.json["error"]["message"].startswith("made-up-")

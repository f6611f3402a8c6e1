"""Callers with keys of their own: each sees the list of the own key, and nobody else's, whatever happens at once."""

import asyncio
import itertools
import json
import random
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.endtoend.process import ADMIN_TOKEN, PATIENCE, ServerProcess
from tests.practice.faults import Fault
from tests.practice.rows import openai_row, openrouter_row
from tests.practice.upstream import PracticeUpstream

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]

ALICE, BOB, MALLORY = "sk-practice-alice-0001", "sk-practice-bob-00002", "sk-practice-mallory-3"
PUBLIC = {"openrouter/lab/common", "openrouter/lab/public"}
OWN = {
    ALICE: {"openrouter/lab/common", "openrouter/lab/alice"},
    BOB: {"openrouter/lab/common", "openrouter/lab/bob"},
}
LIST_TTL = 0.8
"""Seconds: short, so that lists expire while a test asks."""

SEEN = """
{ catalogue { revision userProvidedKeys totalModels } models(provider: "openrouter") { id }
  provider(id: "openrouter") { keySource health { status consecutiveFailures error { code message } } } }
"""
REFRESHED = 'mutation { refreshCatalogue(provider: "openrouter") { results { provider { models { id } } } } }'
CHECK = 'mutation { checkProviderKey(provider: "openrouter") { outcome modelCount message } }'


def _rows(ids: set[str]) -> list[dict[str, Any]]:
    return [openrouter_row(id_.removeprefix("openrouter/")) for id_ in sorted(ids)]


def _settings(upstream: PracticeUpstream) -> str:
    usual = "requests_per_minute = 60000\nburst = 10000\nmax_retries = 1\nbackoff_ms = 10\ntimeout = 10"
    return f"""
model_list_ttl = {LIST_TTL}
provider_health_ttl = 600
key_wait_seconds = 10
[providers.openrouter]
base_url = "{upstream.base_url("openrouter")}"
poll = false
{usual}
[providers.practice]
adapter = "openai-compatible"
base_url = "{upstream.base_url("practice")}"
{usual}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def upstream() -> AsyncIterator[PracticeUpstream]:
    async with PracticeUpstream() as played:
        played.set_list("openrouter", _rows(PUBLIC))
        played.set_keys("openrouter", {key: _rows(ids) for key, ids in OWN.items()})
        yield played


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(upstream: PracticeUpstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    async with ServerProcess(tmp_path_factory.mktemp("isolation"), _settings(upstream)) as started:
        await started.refresh()
        yield started


def _headers(key: str | None) -> dict[str, str]:
    return {} if key is None else {"X-Provider-Keys": json.dumps({"openrouter": key})}


async def _post(server: ServerProcess, key: str | None, document: str = SEEN) -> Any:
    async with server.session.post("/graphql", json={"query": document}, headers=_headers(key)) as answer:
        return (await answer.json())["data"]


async def _get(server: ServerProcess, key: str | None) -> tuple[Any, Mapping[str, str]]:
    async with server.session.get("/graphql", params={"query": SEEN}, headers=_headers(key)) as answer:
        return (await answer.json())["data"], answer.headers


async def _over_socket(server: ServerProcess, key: str | None) -> Any:
    payload = None if key is None else {"providerKeys": {"openrouter": key}}
    async with server.session.ws_connect("/graphql", protocols=["graphql-transport-ws"]) as socket:
        await socket.send_json({"type": "connection_init", "payload": payload})
        assert (await socket.receive_json())["type"] == "connection_ack"
        await socket.send_json({"type": "subscribe", "id": "1", "payload": {"query": SEEN}})
        return (await socket.receive_json())["payload"]["data"]


async def _document(server: ServerProcess, key: str | None) -> set[str]:
    async with server.session.get("/api/models?provider=openrouter", headers=_headers(key)) as answer:
        whole = await answer.json()
    assert "models" in whole, (whole, server.stderr[-3000:])
    return {model["id"] for model in whole["models"]}


def _ids(data: Any) -> set[str]:
    return {model["id"] for model in data["models"]}


async def test_each_sees_the_list_of_the_own_key_on_every_way_in(server: ServerProcess) -> None:
    for key, expected in {ALICE: OWN[ALICE], BOB: OWN[BOB], None: PUBLIC}.items():
        answers = [await _post(server, key), (await _get(server, key))[0], await _over_socket(server, key)]
        for data in answers:
            assert _ids(data) == expected
            assert data["catalogue"]["userProvidedKeys"] == (["openrouter"] if key else [])
            assert data["provider"]["keySource"] == ("USER" if key else "NONE")
        assert await _document(server, key) == expected


async def test_an_admin_with_an_own_key_sees_its_list_also_right_after_a_refresh(server: ServerProcess) -> None:
    headers = {**_headers(ALICE), "Authorization": f"Bearer {ADMIN_TOKEN}"}
    async with server.session.post("/graphql", json={"query": REFRESHED}, headers=headers) as answer:
        [result] = (await answer.json())["data"]["refreshCatalogue"]["results"]
    assert _ids(result["provider"]) == OWN[ALICE]
    async with server.session.get("/api/models?provider=openrouter&force=true", headers=headers) as answer:
        whole = await answer.json()
        assert answer.headers["cache-control"] == "private, no-store"
    assert _ids(whole) == OWN[ALICE]
    assert whole["metadata"]["userProvidedKeys"] == ["openrouter"]
    assert await _document(server, None) == PUBLIC


@pytest.mark.parametrize("seed", range(3))
async def test_nobody_sees_anothers_rows_at_once_or_after_expiry(server: ServerProcess, seed: int) -> None:
    """Four hundred requests of all callers at once by every way in, over several lifetimes of their lists."""
    chance = random.Random(seed)
    wrong: list[tuple[str | None, set[str]]] = []

    async def caller() -> None:
        for _ in range(20):
            key = chance.choice([ALICE, BOB, MALLORY, None])
            ask = chance.choice([_post, _over_socket])
            seen = await _document(server, key) if chance.random() < 0.4 else _ids(await ask(server, key))
            # Without the own list, which may be on its way anew, the public rows are shown.
            if seen not in (PUBLIC, OWN.get(key or "", PUBLIC)):
                wrong.append((key, seen))

    await asyncio.gather(*(caller() for _ in range(20)))
    assert wrong == []
    assert _ids(await _post(server, ALICE)) == OWN[ALICE]


async def test_an_answer_with_an_own_list_is_kept_by_nobody(server: ServerProcess) -> None:
    _, public = await _get(server, None)
    assert public["cache-control"].startswith("public")
    for path, params in (("/graphql", {"query": SEEN}), ("/api/models", {})):
        for key in (ALICE, MALLORY):
            headers = {**_headers(key), "If-None-Match": f"{public['etag']}, *"}
            async with server.session.get(path, params=params, headers=headers) as answer:
                assert (answer.status, answer.headers["cache-control"]) == (200, "private, no-store")
                assert "etag" not in answer.headers
                assert "x-provider-keys" in answer.headers["vary"].lower()


async def test_a_bad_key_is_said_to_its_caller_with_the_remedy_and_moves_no_health(server: ServerProcess) -> None:
    before = (await _post(server, None))["provider"]["health"]
    data = await _post(server, MALLORY)
    assert _ids(data) == PUBLIC
    assert data["catalogue"]["userProvidedKeys"] == []
    error = data["provider"]["health"].pop("error")
    assert error["code"] == "UNAUTHORIZED"
    assert "Replace the key" in error["message"]
    assert data["provider"]["health"] | {"error": None} == before
    assert (await _post(server, None))["provider"]["health"] == before


async def test_callers_lists_raise_no_public_change(server: ServerProcess, upstream: PracticeUpstream) -> None:
    events = "subscription { catalogueChanged { provider { id } } }"
    revision = (await _post(server, None))["catalogue"]["revision"]
    async with server.subscription("sse", events) as public:
        for number, key in itertools.product(range(3), (ALICE, BOB)):
            own = {**OWN, key: OWN[key] | {f"openrouter/lab/new-{number}"}}
            upstream.set_keys("openrouter", {each: _rows(ids) for each, ids in own.items()})
            await _post(server, key)
            await _post(server, MALLORY)
        assert (await _post(server, None))["catalogue"]["revision"] == revision
        upstream.set_list("practice", [openai_row("practice-heard")])
        await server.refresh("practice")
        assert await anext(public) == {"provider": {"id": "practice"}}
    upstream.set_keys("openrouter", {key: _rows(ids) for key, ids in OWN.items()})
    async with asyncio.timeout(PATIENCE):  # the lists told here are remembered for a while
        for key, ids in OWN.items():
            while _ids(await _post(server, key)) != ids:
                pass


async def test_a_key_is_checked_for_its_holder(server: ServerProcess) -> None:
    outcomes = {key: (await _post(server, key, CHECK))["checkProviderKey"]["outcome"] for key in (ALICE, BOB, MALLORY)}
    assert outcomes == {ALICE: "VALID", BOB: "VALID", MALLORY: "INVALID"}


async def test_a_key_goes_to_its_own_provider_only(server: ServerProcess, upstream: PracticeUpstream) -> None:
    upstream.log.clear()
    key = "sk-practice-for-one-only"
    await _post(server, key, "{ models { id } }")
    assert upstream.seen("openrouter")
    assert not [seen for seen in upstream.seen("practice") if "Authorization" in seen.headers]


async def test_two_connections_of_one_client_share_no_keys(server: ServerProcess) -> None:
    """A connection that is kept alive for another caller, as behind a proxy, carries nothing over."""
    connector = aiohttp.TCPConnector(limit=1)
    async with aiohttp.ClientSession(server.url, connector=connector) as session:
        for key in (ALICE, None, BOB, None, MALLORY, ALICE):
            async with session.post("/graphql", json={"query": SEEN}, headers=_headers(key)) as answer:
                assert _ids((await answer.json())["data"]) == OWN.get(key or "", PUBLIC)


async def test_an_expired_list_falls_back_to_public_rows_and_never_to_anothers(
    server: ServerProcess, upstream: PracticeUpstream
) -> None:
    await asyncio.gather(_post(server, ALICE), _post(server, BOB))
    upstream.set_fault("openrouter", Fault.SERVER_ERROR)
    try:
        async with asyncio.timeout(PATIENCE):
            while (data := await _post(server, ALICE))["catalogue"]["userProvidedKeys"]:
                assert _ids(data) == OWN[ALICE]
        assert _ids(data) == PUBLIC
    finally:
        upstream.clear()

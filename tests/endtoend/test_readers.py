"""Readers: they cause no calls, read one document that may be kept, and decide about lists that are held back."""

import asyncio
from typing import Any

import pytest
import pytest_asyncio

from tests.endtoend.conftest import mended
from tests.endtoend.process import ADMIN_TOKEN, QueryError, ServerProcess
from tests.practice.faults import Fault
from tests.practice.rows import big_list, openrouter_list
from tests.practice.upstream import PracticeUpstream

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]

READERS = 1_000
LONG = [*openrouter_list(), *big_list(50)]
"""Long enough for the guard to look at shares."""
ENDPOINTS = """
{ model(id: "openrouter/openai/practice-5") { status endpoints { state items { name status uptime30m } } } }
"""
RESOLVE = """
mutation ($id: ID!, $accept: Boolean!) {
  resolveQuarantine(quarantine: $id, accept: $accept) { accepted revision provider { modelCount } }
}
"""
DOCUMENT = "/api/models"


@pytest_asyncio.fixture(loop_scope="module")
async def server(unhurried: ServerProcess, upstream: PracticeUpstream) -> ServerProcess:
    await mended(unhurried, upstream, openrouter=LONG)
    return unhurried


async def test_a_thousand_concurrent_queries_change_nothing_in_the_upstreams_log(
    server: ServerProcess, upstream: PracticeUpstream
) -> None:
    before = upstream.calls()
    answers = await asyncio.gather(*(server.query("{ models { id } }") for _ in range(READERS)))
    assert {len(answer["models"]) for answer in answers} == {70}
    assert upstream.calls() == before


async def test_a_thousand_concurrent_readers_of_one_models_endpoints_cause_one_call(
    server: ServerProcess, upstream: PracticeUpstream
) -> None:
    upstream.hold("openrouter", "/endpoints")
    reading = [asyncio.create_task(server.query(ENDPOINTS)) for _ in range(READERS)]
    await upstream.arrived(1, "openrouter", "/endpoints")
    upstream.release("openrouter")
    answers = [answer["model"]["endpoints"] for answer in await asyncio.gather(*reading)]
    assert len(upstream.seen("openrouter", "/endpoints")) == 1
    ready = [answer for answer in answers if answer["state"] == "READY"]
    assert {answer["state"] for answer in answers} <= {"READY", "PENDING"}
    assert ready
    assert ready[0]["items"][0] == {"name": "Acme (acme/fp8)", "status": "HEALTHY", "uptime30m": 0.996}


async def held_back(server: ServerProcess, upstream: PracticeUpstream) -> str:
    """Have the second half of a list vanish, and give the id under which the rest is held back."""
    upstream.set_fault("openrouter", Fault.SHRUNK)
    (result,) = await server.refresh("openrouter")
    assert result["outcome"] == "QUARANTINED"
    provider = await server.provider("openrouter")
    assert provider["modelCount"] == 60
    assert provider["health"]["quarantine"]["removed"] == 30
    return str(provider["health"]["quarantine"]["id"])


async def test_an_admin_accepts_a_list_that_is_held_back(server: ServerProcess, upstream: PracticeUpstream) -> None:
    held = await held_back(server, upstream)
    resolved = (await server.query(RESOLVE, token=ADMIN_TOKEN, id=held, accept=True))["resolveQuarantine"]
    assert resolved["accepted"]
    provider = await server.provider("openrouter")
    assert (provider["health"]["quarantine"], provider["health"]["error"]) == (None, None)
    assert sum(model["status"] == "UNAVAILABLE" for model in provider["models"]) == 30
    with pytest.raises(QueryError) as caught:
        await server.query(RESOLVE, token=ADMIN_TOKEN, id=held, accept=True)
    assert caught.value.codes == ["BAD_USER_INPUT"]


async def test_an_admin_discards_a_list_that_is_held_back(server: ServerProcess, upstream: PracticeUpstream) -> None:
    held = await held_back(server, upstream)
    resolved = (await server.query(RESOLVE, token=ADMIN_TOKEN, id=held, accept=False))["resolveQuarantine"]
    assert (resolved["accepted"], resolved["provider"]["modelCount"]) == (False, 60)
    (result,) = await server.refresh("openrouter")
    assert result["outcome"] == "KEPT_LAST_GOOD", "the same list is not held back anew"
    provider = await server.provider("openrouter")
    assert (provider["modelCount"], provider["health"]["quarantine"]) == (60, None)


async def test_only_an_admin_decides_about_a_list_that_is_held_back(
    server: ServerProcess, upstream: PracticeUpstream
) -> None:
    held = await held_back(server, upstream)
    for token, code in ((None, "UNAUTHENTICATED"), ("practice-reader-token", "FORBIDDEN")):
        with pytest.raises(QueryError) as caught:
            await server.query(RESOLVE, token=token, id=held, accept=True)
        assert caught.value.codes == [code]
    assert (await server.provider("openrouter"))["health"]["quarantine"]["id"] == held


async def fetched(
    server: ServerProcess, path: str, *, token: str | None = None, tag: str | None = None
) -> tuple[int, Any, str | None]:
    """Get the document: the status, what it says, and its tag."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    headers |= {"If-None-Match": tag} if tag else {}
    async with server.session.get(path, headers=headers) as answer:
        body = await answer.json(content_type=None) if answer.status != 304 else None
        return answer.status, body, answer.headers.get("ETag")


async def test_the_document_is_served_again_only_when_it_changed(
    server: ServerProcess, upstream: PracticeUpstream
) -> None:
    path = f"{DOCUMENT}?provider=requesty&capability=vision"
    status, document, tag = await fetched(server, path)
    assert (status, [model["id"] for model in document["models"]]) == (200, ["requesty/google/gemini-practice"])
    assert document["models"][0]["status"] == "available"
    assert document["metadata"]["providers"]["requesty"]["status"] == "healthy"
    assert await fetched(server, path, tag=tag) == (304, None, tag)
    upstream.set_list("requesty", upstream.provider("requesty").rows[1:])
    await server.refresh("requesty")
    status, _, changed = await fetched(server, path, tag=tag)
    assert status == 200
    assert changed != tag


async def test_the_document_is_read_afresh_for_admins_alone(server: ServerProcess, upstream: PracticeUpstream) -> None:
    path = f"{DOCUMENT}?provider=requesty&force=true"
    before = len(upstream.seen("requesty"))
    assert (await fetched(server, path))[0] == 401
    assert (await fetched(server, path, token="practice-reader-token"))[0] == 403
    assert (await fetched(server, path, token="wrong"))[0] == 401
    assert len(upstream.seen("requesty")) == before
    status, document, _ = await fetched(server, path, token=ADMIN_TOKEN)
    assert (status, len(document["models"])) == (200, 6)
    assert len(upstream.seen("requesty")) == before + 1

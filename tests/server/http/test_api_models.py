"""`GET /api/models`, asked over ASGI."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from starlette.requests import Request
from starlette.responses import Response

from catalogue.errors import RateLimited
from catalogue.health import Problem
from catalogue.ports.on_demand import Overlay
from catalogue.scope import Scope
from catalogue.selection import Criteria
from catalogue.snapshot import Snapshot
from catalogue.vocabulary import HealthStatus, ProviderErrorCode
from server.http.api_models import ModelsEndpoint
from server.http.models_document import ModelsDocument, ModelsDocuments
from tests.resolvers.asking import ADMIN, keyed
from tests.resolvers.fakes import Ports
from tests.resolvers.world import BETA, MINI, NOW, OPUS, SECRET, facts, failing, snapshot, state

PUBLIC = "public, s-maxage=60, stale-while-revalidate=600"


async def get(ports: Ports, query: str = "", *, scope: Scope | None = None, tag: str = "") -> Response:
    endpoint = ModelsEndpoint(ports.services, report=print, scope_of=lambda _: scope or Scope())
    return await endpoint.answer(request(query, tag))


def request(query: str = "", tag: str = "", method: str = "GET") -> Request:
    headers = [(b"if-none-match", tag.encode())] if tag else []
    return Request({"type": "http", "method": method, "query_string": query.encode(), "headers": headers})


def read(response: Response) -> Any:
    return orjson.loads(response.body)


async def test_the_document_has_the_shape_of_the_contract() -> None:
    document = read(await get(Ports()))
    assert document["models"][1] == {
        "id": "alpha/lab/opus",
        "provider": "Alpha",
        "name": "Opus",
        "description": "A large model.",
        "capabilities": ["chat", "vision", "tools"],
        "premium": True,
        "vision": True,
        "contextMax": 200_000,
        "status": "available",
        "lastChecked": "2026-05-01T12:00:00Z",
        "providerHealth": "healthy",
        "pricing": {"input": 0.0000031, "output": 0.000015, "currency": "USD"},
        "rateLimit": {"requestsPerMinute": 60},
    }
    assert document["metadata"] == {
        "lastUpdated": "2026-05-01T11:55:00Z",
        "providers": {
            "alpha": {"status": "healthy", "lastChecked": "2026-05-01T12:00:00Z", "modelCount": 3},
            "beta": {"status": "healthy", "lastChecked": "2026-05-01T12:00:00Z", "modelCount": 1},
        },
        "totalModels": 4,
        "cacheHit": True,
    }


async def test_what_is_not_known_is_left_out_and_free_is_zero() -> None:
    models = {m["id"]: m for m in read(await get(Ports()))["models"]}
    assert "pricing" not in models["alpha/zeta"]
    assert models["alpha/zeta"]["premium"] is None
    assert models["alpha/lab/mini"]["pricing"] == {"input": 0.0, "output": 0.0, "currency": "USD"}
    assert models["beta/opus"]["errorMessage"].startswith("The last good list of Beta")


async def test_a_provider_that_is_down_is_an_error_with_its_reason() -> None:
    problem = Problem(code=ProviderErrorCode.TIMEOUT, message="No answer.", retryable=True, at=NOW)
    down = state("alpha", [MINI], health={"status": HealthStatus.DOWN, "problems": failing(problem)})
    document = read(await get(Ports(snapshot(down))))
    assert document["metadata"]["providers"]["alpha"]["status"] == "error"
    assert document["metadata"]["providers"]["alpha"]["error"] == "No answer."
    assert (document["models"][0]["status"], document["models"][0]["providerHealth"]) == ("unavailable", "down")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("provider=beta", ["beta/opus"]),
        ("provider=alpha&capability=chat,TOOLS", ["alpha/lab/opus"]),
        ("status=limited&status=deprecated", ["beta/opus"]),
        ("provider=", ["alpha/lab/mini", "alpha/lab/opus", "beta/opus", "alpha/zeta"]),
    ],
)
async def test_parameters_choose(query: str, found: list[str]) -> None:
    assert [m["id"] for m in read(await get(Ports(), query))["models"]] == found


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("provider=gamma", "UNKNOWN_PROVIDER"),
        ("capability=flying", "BAD_USER_INPUT"),
        ("status=gone", "BAD_USER_INPUT"),
        ("force=maybe", "BAD_USER_INPUT"),
        ("porvider=beta", "BAD_USER_INPUT"),
    ],
)
async def test_a_wrong_parameter_is_a_clear_error(query: str, code: str) -> None:
    response = await get(Ports(), query)
    assert response.status_code == 400
    assert read(response)["error"]["code"] == code
    assert response.headers["cache-control"] == "private, no-store"


async def test_parameters_without_end_are_refused_unread() -> None:
    response = await get(Ports(), "provider=alpha&" * 1_000)
    assert "more than 4096 characters" in read(response)["error"]["message"]


async def test_an_unknown_parameter_is_told_the_known_ones() -> None:
    message = read(await get(Ports(), "porvider=beta"))["error"]["message"]
    assert message == "Unknown parameter 'porvider'. Known: provider, capability, status, force."


async def test_an_unchanged_document_is_not_sent_again() -> None:
    ports = Ports()
    first = await get(ports)
    assert first.headers["cache-control"] == PUBLIC
    again = await get(ports, tag=f'"other", {first.headers["etag"].removeprefix("W/")}')
    assert (again.status_code, again.body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


async def test_a_changed_document_has_another_tag() -> None:
    ports = Ports()
    endpoint = ModelsEndpoint(ports.services, report=print, scope_of=lambda _: Scope())
    before = (await endpoint.answer(request())).headers["etag"]
    ports.reader.snapshot = snapshot(BETA)
    assert (await endpoint.answer(request(tag=before))).status_code == 200


def polled(minutes: int, **health: Any) -> Snapshot:
    """The world with nothing new but what a poll so many minutes later says of a provider."""
    checked = {"last_checked": NOW + timedelta(minutes=minutes), "latency_ms": 99.0, **health}
    alpha = state("alpha", [OPUS, MINI, SECRET], health=checked)
    return snapshot(alpha, BETA)


async def test_a_poll_that_finds_nothing_new_leaves_the_tag_so_that_readers_need_not_read_anew() -> None:
    ports = Ports()
    endpoint = ModelsEndpoint(ports.services, report=print, scope_of=lambda _: Scope())
    before = await endpoint.answer(request())
    assert before.headers["etag"].startswith('W/"')
    ports.reader.snapshot = polled(1)
    again = await endpoint.answer(request(tag=before.headers["etag"]))
    assert again.status_code == 304
    fresh = read(await endpoint.answer(request()))
    assert {m["lastChecked"] for m in fresh["models"] if m["id"] != "beta/opus"} == {"2026-05-01T12:01:00Z"}
    assert fresh["metadata"]["providers"]["alpha"]["lastChecked"] == "2026-05-01T12:01:00Z"


async def test_another_error_has_another_tag_though_it_makes_no_revision() -> None:
    ports = Ports()
    endpoint = ModelsEndpoint(ports.services, report=print, scope_of=lambda _: Scope())
    tags = set()
    for message in ("No answer.", "The connection was refused."):
        problem = Problem(code=ProviderErrorCode.TIMEOUT, message=message, retryable=True, at=NOW)
        ports.reader.snapshot = polled(1, problems=failing(problem))
        tags.add((await endpoint.answer(request())).headers["etag"])
    assert len(tags) == 2


async def test_every_choice_of_models_has_a_tag_of_its_own() -> None:
    queries = ("", "provider=alpha", "provider=beta", "status=limited&provider=alpha", "capability=chat")
    assert len({(await get(Ports(), query)).headers["etag"] for query in queries}) == len(queries)


async def test_an_answer_with_a_callers_own_list_is_kept_by_nobody() -> None:
    ports = Ports()
    ports.own_lists.own = {"alpha": state("alpha", [facts("alpha/own")])}
    endpoint = ModelsEndpoint(
        ports.services, report=print, scope_of=lambda r: keyed(alpha="k") if r.query_params else Scope()
    )
    mine = await endpoint.answer(request("provider=alpha"))
    assert [m["id"] for m in read(mine)["models"]] == ["alpha/own"]
    assert read(mine)["metadata"]["userProvidedKeys"] == ["alpha"]
    assert read(mine)["metadata"]["cacheHit"] is False
    assert mine.headers["cache-control"] == "private, no-store"
    assert "etag" not in mine.headers
    assert b"alpha/own" not in bytes((await endpoint.answer(request())).body)


async def test_an_admin_refreshes_first_with_force() -> None:
    ports = Ports()
    ports.refresher.after = snapshot(state("alpha", [MINI]), BETA, revision=8)
    response = await get(ports, "provider=alpha&force=true", scope=ADMIN)
    assert ports.refresher.calls == [(("alpha",), True)]
    assert [m["id"] for m in read(response)["models"]] == ["alpha/lab/mini"]
    assert response.headers["cache-control"] == "private, no-store"
    assert ports.audit.notes == [("ann", "refreshCatalogue", "ok", "alpha")]


async def test_an_admins_own_list_is_in_the_answer_to_force() -> None:
    ports = Ports()
    ports.own_lists.own = {"alpha": state("alpha", [facts("alpha/own")])}
    scope = replace(ADMIN, keys=keyed(alpha="k").keys)
    response = await get(ports, "provider=alpha&force=true", scope=scope)
    assert [m["id"] for m in read(response)["models"]] == ["alpha/own"]
    assert read(response)["metadata"]["userProvidedKeys"] == ["alpha"]


async def test_head_changes_nothing_whatever_it_asks_for() -> None:
    ports = Ports()
    endpoint = ModelsEndpoint(ports.services, report=print, scope_of=lambda _: ADMIN)
    response = await endpoint.answer(request("provider=alpha&force=true", method="HEAD"))
    assert response.status_code == 200
    assert ports.refresher.calls == []


@pytest.mark.parametrize(
    ("scope", "status", "code"),
    [(Scope(), 401, "UNAUTHENTICATED"), (Scope(actor="bob"), 403, "FORBIDDEN")],
)
async def test_force_is_for_admins(scope: Scope, status: int, code: str) -> None:
    ports = Ports()
    response = await get(ports, "force=true", scope=scope)
    assert (response.status_code, read(response)["error"]["code"]) == (status, code)
    assert ports.refresher.calls == []


async def test_a_caller_without_allowance_is_told_when_to_come_back() -> None:
    @asynccontextmanager
    async def admit(_: Scope) -> AsyncIterator[None]:
        raise RateLimited("Too many requests.", retry_after=1.5)
        yield

    response = await ModelsEndpoint(Ports().services, report=print, scope_of=lambda _: Scope(), admit=admit).answer(
        request()
    )
    assert response.status_code == 429
    assert response.headers["retry-after"] == "2"


async def test_one_document_is_made_for_all_readers_of_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Criteria] = []

    def present(_: ModelsDocuments, __: Overlay, criteria: Criteria) -> ModelsDocument:
        made.append(criteria)
        return ModelsDocument(b"{}", 'W/"1"')

    monkeypatch.setattr(ModelsDocuments, "present", present)
    endpoint = ModelsEndpoint(Ports().services, report=print, scope_of=lambda _: Scope())
    await asyncio.gather(*(endpoint.answer(request()) for _ in range(3)))
    await endpoint.answer(request())
    assert len(made) == 1

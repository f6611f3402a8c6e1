"""The JavaScript clients: each asks, is refused, refreshes as an admin, and follows a price."""

from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import REPRICED, SEEING, Reprice
from tests.clients.installed import NODE, Told, javascript, needs_node, started
from tests.endtoend.process import ADMIN_TOKEN, ServerProcess

GRAPHQL = "application/graphql-response+json; charset=utf-8"
EVENTS = "text/event-stream; charset=utf-8"

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process, needs_node]


def requests(wire: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(seen["method"], seen["status"]) for seen in wire]


async def asked(told: Told) -> dict[str, Any]:
    """What a program tells of its queries, once they have been answered as they should."""
    answers = await anext(told)
    assert set(answers["names"]) == SEEING
    assert answers["code"] == "UNKNOWN_PROVIDER"
    assert answers["refresh"] == ["UNCHANGED"]
    return answers


async def followed(told: Told, reprice: Reprice) -> dict[str, Any]:
    """What a program tells of the price that moves as soon as it follows."""
    assert await anext(told) == {"following": True}
    price = await reprice()
    told_of = await anext(told)
    assert told_of["event"]["model"]["id"] == REPRICED
    assert told_of["event"]["after"]["input"] == pytest.approx(price)
    return told_of


async def test_apollo_persists_its_queries_and_follows_over_a_socket(
    server: ServerProcess, reprice: Reprice, tmp_path: Path
) -> None:
    command = [NODE, "apollo.mjs", f"{server.url}/graphql", ADMIN_TOKEN]
    async with started(javascript(tmp_path), *command) as told:
        answers = await asked(told)
        await followed(told, reprice)
    assert requests(answers["registering"]) == [("GET", 404), ("POST", 200)]
    assert requests(answers["registered"]) == [("GET", 200)]
    assert {seen["type"] for seen in answers["registering"] + answers["registered"]} == {GRAPHQL}


@pytest.mark.parametrize("variant", ["POST", "GET", "graphql-sse"])
async def test_urql_follows_over_server_sent_events(
    server: ServerProcess, reprice: Reprice, tmp_path: Path, variant: str
) -> None:
    command = [NODE, "urql.mjs", f"{server.url}/graphql", ADMIN_TOKEN, variant]
    async with started(javascript(tmp_path), *command) as told:
        answers = await asked(told)
        following = await followed(told, reprice)
    assert {seen["type"] for seen in answers["wire"]} == {GRAPHQL}, "a query is no stream, though Accept names one"
    assert requests(answers["wire"])[0] == ("GET" if variant == "GET" else "POST", 200)
    if variant != "graphql-sse":
        assert [(seen["method"], seen["type"]) for seen in following["wire"]] == [("POST", EVENTS)]


async def test_graphql_request_asks(server: ServerProcess, tmp_path: Path) -> None:
    command = [NODE, "graphql-request.mjs", f"{server.url}/graphql", ADMIN_TOKEN]
    async with started(javascript(tmp_path), *command) as told:
        answers = await asked(told)
    assert {seen["type"] for seen in answers["wire"]} == {GRAPHQL}

"""What compiles operations against the schema: each compiles, and what comes out is answered by the server."""

import os
import shutil
from pathlib import Path

import pytest

from tests.clients.conftest import REPRICED, SEEING, Reprice
from tests.clients.installed import (
    ARIADNE,
    HERE,
    NODE,
    OPERATIONS,
    javascript,
    needs_ariadne,
    needs_node,
    output,
    started,
)
from tests.endtoend.process import ServerProcess

SDL = Path(__file__).parents[2] / "schema" / "schema.graphql"

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]


@needs_node
async def test_relay_compiles_a_connection_and_pages_through_it(server: ServerProcess, tmp_path: Path) -> None:
    relay = javascript(tmp_path) / "relay"
    shutil.copy(SDL, relay)
    await output(relay, "../node_modules/.bin/relay-compiler", "relay.config.json")
    async with started(relay, NODE, "ask.mjs", f"{server.url}/graphql") as told:
        pages = (await anext(told))["pages"]
    everything = (await server.query('{ models(provider: "openrouter") { id } }'))["models"]
    assert [len(page) for page in pages[:-1]] == [4] * (len(pages) - 1)
    assert [found for page in pages for found in page] == [model["id"] for model in everything]


@needs_node
async def test_graphql_codegen_reads_the_running_server_and_its_types_hold(
    server: ServerProcess, tmp_path: Path
) -> None:
    codegen = javascript(tmp_path) / "codegen"
    url = f"{server.url}/graphql"
    environment = {"PATH": os.environ["PATH"], "SERVER_URL": url}
    await output(codegen, "../node_modules/.bin/graphql-codegen", "--config", "codegen.mjs", env=environment)
    await output(codegen, "../node_modules/.bin/tsc")
    async with started(codegen, NODE, "ask.js", url) as told:
        answer = await anext(told)
    assert set(answer["names"]) == SEEING
    assert answer["cursor"] == (await server.query("{ catalogue { cursor } }"))["catalogue"]["cursor"]


@needs_ariadne
async def test_ariadne_codegen_makes_a_client_that_asks_and_follows(
    server: ServerProcess, reprice: Reprice, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(HERE / "ariadne", tmp_path / "ariadne"))
    for needed in (SDL, OPERATIONS):
        shutil.copy(needed, folder)
    await output(folder, ARIADNE / "ariadne-codegen")
    async with started(folder, ARIADNE / "python", "ask.py", f"{server.url}/graphql") as told:
        answers = await anext(told)
        assert set(answers["names"]) == SEEING
        assert answers["code"] == "UNKNOWN_PROVIDER"
        assert await anext(told) == {"following": True}
        price = await reprice()
        event = (await anext(told))["event"]
    assert (event["model"]["id"], event["after"]["input"]) == (REPRICED, pytest.approx(price))

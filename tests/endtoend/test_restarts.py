"""Starts and ends of the process: with nothing upstream, with a damaged store, told to stop, or killed.

It is long because a process can start and end in many ways.
"""

import asyncio
import os
import random
import shutil
import signal
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import aiohttp
import pytest
import pytest_asyncio

from catalogue.health import SUCCESSES_TO_UP
from tests.endtoend.conftest import IMPATIENT, PROVIDERS, settings
from tests.endtoend.process import ADMIN_TOKEN, PATIENCE, REFRESH, Data, Events, QueryError, ServerProcess
from tests.practice.faults import Fault
from tests.practice.rows import Row, big_list
from tests.practice.upstream import PracticeUpstream

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]

LONGEST_SPIN = 400
"""Turns of the loop: about as long as a refresh takes."""
ROUNDS = int(os.environ.get("KILL_ROUNDS", "4"))
NOBODY = "http://127.0.0.1:9/v1"
SOURCES = "{ models { id name source status errorMessage } catalogue { revision cursor totalModels } }"
CHANGES = "subscription ($since: Cursor) { catalogueChanged(since: $since) { kind } }"


async def filled(folder: Path, upstream: PracticeUpstream) -> dict[str, str]:
    """Let a server read every provider's list once and stop; give the names that it served by id."""
    async with ServerProcess(folder, settings(upstream)) as server:
        await server.refresh()
        return {model["id"]: model["name"] for model in (await server.query(SOURCES))["models"]}


Case = TypeVar("Case")


async def at_once(cases: Sequence[Case], check: Callable[[Case], Awaitable[None]], subtests: pytest.Subtests) -> None:
    """Check all cases beside one another, each as a test of its own: a start takes one core's time."""
    errors = await asyncio.gather(*map(check, cases), return_exceptions=True)
    for case, error in zip(cases, errors, strict=True):
        with subtests.test(case=case):
            if error is not None:
                raise error


@dataclass(frozen=True)
class Left:
    """What a server that has read every provider's list left behind."""

    folder: Path
    served: dict[str, str]
    """The names of the models by id."""

    def copied(self, to: Path) -> Path:
        """Give a folder for a server of its own that takes over here."""
        return Path(shutil.copytree(self.folder, to, dirs_exist_ok=True))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def left(upstream: PracticeUpstream, tmp_path_factory: pytest.TempPathFactory) -> Left:
    folder = tmp_path_factory.mktemp("left")
    return Left(folder, await filled(folder, upstream))


async def test_a_restart_while_every_provider_is_down_serves_the_last_good_data_at_once(
    upstream: PracticeUpstream, left: Left, tmp_path: Path
) -> None:
    await upstream.stop()
    async with ServerProcess(left.copied(tmp_path), settings(upstream)) as server:
        models = (await server.query(SOURCES))["models"]
    await upstream.start()
    assert {model["id"]: model["name"] for model in models} == left.served
    assert {model["source"] for model in models} == {"LAST_GOOD"}


async def test_a_first_start_without_a_network_serves_the_packaged_baseline(
    tmp_path_factory: pytest.TempPathFactory, subtests: pytest.Subtests
) -> None:
    async def check(said: str) -> None:
        tables = (f'[providers.{name}]\nbase_url = "{NOBODY}"\n{said}\n' for name in ("openrouter", "requesty"))
        async with ServerProcess(tmp_path_factory.mktemp("first"), "".join(tables)) as server:
            models = (await server.query(SOURCES))["models"]
        assert len(models) > 100
        assert {model["source"] for model in models} == {"BASELINE"}
        assert "AVAILABLE" not in {model["status"] for model in models}
        assert all(model["errorMessage"] for model in models)

    await at_once(["max_retries = 0", "poll = false"], check, subtests)


async def test_a_restart_with_5000_models_waits_for_no_provider_that_hangs(tmp_path: Path) -> None:
    async with PracticeUpstream() as upstream:
        upstream.set_list("openrouter", big_list(5_000))
        served = await filled(tmp_path, upstream)
        for name in PROVIDERS:
            upstream.hold(name)
        async with ServerProcess(tmp_path, settings(upstream, list_ttl=600, timeout=2 * PATIENCE)) as server:
            total = (await server.query("{ catalogue { totalModels } }"))["catalogue"]["totalModels"]
    assert total == len(served)


HEALTH = '{ provider(id: "practice") { health { status } models { id status } } catalogue { cursor } }'
STATUSES = """subscription ($since: Cursor) {
  catalogueChanged(since: $since, provider: ["practice"]) {
    kind cursor
    ... on StatusChanged { model { id } statusAfter: after }
    ... on ProviderHealthChanged { healthAfter: after }
  }
}"""


async def test_a_subscriber_that_resumes_over_a_restart_ends_with_what_is_served(
    tmp_path_factory: pytest.TempPathFactory, subtests: pytest.Subtests
) -> None:
    async def check(case: str) -> None:
        broken = case == "it was degraded"
        list_ttl = 600.0 if broken else 0.1
        folder = tmp_path_factory.mktemp("resumed")
        async with PracticeUpstream() as upstream:
            async with ServerProcess(folder, _unpolled(upstream)) as server:
                for _ in range(SUCCESSES_TO_UP):
                    await server.refresh("practice")
                if broken:
                    upstream.set_fault("practice", Fault.HTML)
                    await server.refresh("practice")
                before = await server.query(HEALTH)
                assert before["provider"]["health"]["status"] == ("DEGRADED" if broken else "HEALTHY")
            upstream.clear()
            known = {model["id"]: model["status"] for model in before["provider"]["models"]}
            health = before["provider"]["health"]["status"]
            async with ServerProcess(folder, _unpolled(upstream, list_ttl=list_ttl)) as server:
                if broken:
                    for _ in range(SUCCESSES_TO_UP):
                        await server.refresh("practice")
                after = await server.query(HEALTH)
                async with server.subscription("sse", STATUSES, since=before["catalogue"]["cursor"]) as events:
                    async for event in events:
                        if event["kind"] == "STATUS_CHANGED":
                            known[event["model"]["id"]] = event["statusAfter"]
                        elif event["kind"] == "PROVIDER_HEALTH_CHANGED":
                            health = event["healthAfter"]
                        if event["cursor"] == after["catalogue"]["cursor"]:
                            break
            assert known == {model["id"]: model["status"] for model in after["provider"]["models"]}
            assert health == after["provider"]["health"]["status"]
            assert known != {model["id"]: model["status"] for model in before["provider"]["models"]}

    await at_once(["it was degraded", "its list is stale by now"], check, subtests)


def _garbage(store: Path) -> None:
    store.write_bytes(b"no database " * 1_000)


def _with_an_unknown_word(store: Path) -> None:
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        connection.execute("UPDATE health SET body = replace(body, 'healthy', 'merry')")


async def test_a_damaged_store_is_moved_aside_and_said_once(
    upstream: PracticeUpstream, left: Left, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    async def check(spoil: Callable[[Path], None]) -> None:
        folder = left.copied(tmp_path / spoil.__name__)
        store = next((folder / "data").glob("catalogue.*"))
        spoil(store)
        spoiled = store.stat().st_size
        async with ServerProcess(folder, settings(upstream)) as server:
            await server.refresh()
            assert (await server.query(SOURCES))["catalogue"]["totalModels"] == len(left.served)
            await server.stop()
            lines = [line for line in server.stderr.splitlines() if "store" in line]
        assert len(lines) == 1
        assert "moved aside" in lines[0]
        aside = [path for path in store.parent.iterdir() if ".aside-" in path.name]
        assert [path.stat().st_size for path in aside] == [spoiled]

    await at_once([_garbage, _with_an_unknown_word], check, subtests)


async def test_a_data_folder_deleted_under_the_server_is_written_anew_and_nothing_is_lost(
    upstream: PracticeUpstream, left: Left, tmp_path: Path
) -> None:
    left.copied(tmp_path)
    async with ServerProcess(tmp_path, _unpolled(upstream)) as server:
        secret = (tmp_path / "data" / "secret").read_bytes()
        shutil.rmtree(tmp_path / "data")
        await server.refresh()
        assert (tmp_path / "data" / "secret").read_bytes() == secret
        revision = (await server.query(SOURCES))["catalogue"]["revision"]
        await server.stop()
        assert server.stderr.count("store_rescued") == 1
    async with ServerProcess(tmp_path, _unpolled(upstream)) as server:
        found = await server.query(SOURCES)
        assert "moved aside" not in server.stderr
    assert found["catalogue"]["revision"] == revision
    assert {model["id"]: model["name"] for model in found["models"]} == left.served


async def test_a_second_server_on_the_same_data_folder_is_refused_in_one_line(
    upstream: PracticeUpstream, tmp_path: Path
) -> None:
    async with ServerProcess(tmp_path, settings(upstream)) as server:
        second = ServerProcess(tmp_path, settings(upstream))
        await second.spawn()
        assert await second.ended() == 2
        assert second.stderr.count("\n") == 1
        assert second.stderr.startswith("Configuration: data_dir:")
        assert "another server" in second.stderr
        await server.query("{ catalogue { revision } }")


async def test_sigterm_ends_the_process_with_streams_and_a_hanging_request_open(
    upstream: PracticeUpstream, tmp_path: Path
) -> None:
    async with ServerProcess(tmp_path, settings(upstream, timeout=IMPATIENT)) as server:
        await server.refresh()
        since = (await server.query("{ catalogue { cursor } }"))["catalogue"]["cursor"]
        for name in PROVIDERS:
            upstream.hold(name)
        seen = len(upstream.log)
        async with (
            server.subscription("ws", CHANGES, since=since) as over_socket,
            server.subscription("sse", CHANGES, since=since) as over_events,
        ):
            hanging = asyncio.create_task(server.query(REFRESH, token=ADMIN_TOKEN))
            await upstream.arrived(seen + len(PROVIDERS))
            server.signal(signal.SIGTERM)
            ends = await asyncio.gather(hanging, _drained(over_socket), _drained(over_events), return_exceptions=True)
            assert await server.ended() == 0
    upstream.clear()
    assert isinstance(ends[0], dict | aiohttp.ClientError | QueryError)
    assert all(isinstance(end, list) for end in ends[1:]), "streams end in order"
    assert "Traceback" not in server.stderr


async def test_a_stopping_server_tells_no_subscriber_that_it_is_complete(
    upstream: PracticeUpstream, tmp_path: Path
) -> None:
    body = {"query": "subscription { catalogueChanged { kind } }"}
    async with (
        ServerProcess(tmp_path, settings(upstream)) as server,
        server.session.ws_connect("/graphql", protocols=["graphql-transport-ws"]) as socket,
        server.session.post("/graphql", json=body, headers={"Accept": "text/event-stream"}) as stream,
    ):
        await socket.send_json({"type": "connection_init"})
        await socket.send_json({"type": "subscribe", "id": "1", "payload": body})
        await socket.send_json({"type": "ping"})
        while (await socket.receive_json())["type"] != "pong":
            continue
        assert await stream.content.readline() == b":\n"
        server.signal(signal.SIGTERM)
        async for message in socket:
            assert message.json()["type"] != "complete"
        assert socket.close_code == 1012, "service restart: clients connect anew"
        assert b"complete" not in await stream.content.read()


async def _drained(events: Events) -> list[Data]:
    return [event async for event in events]


async def test_killed_at_any_moment_it_has_lost_nothing_of_what_it_acknowledged(
    upstream: PracticeUpstream, tmp_path: Path
) -> None:
    chance = random.Random(20260501)
    revision, name = 0, ""
    for turn in range(ROUNDS + 1):
        async with ServerProcess(tmp_path, _unpolled(upstream)) as server:
            found = await server.query(SOURCES)
            kept = {model["name"] for model in found["models"] if model["id"].startswith("practice/")}
            assert found["catalogue"]["revision"] >= revision
            assert len(kept) == min(turn, 1), "a list is stored whole"
            assert kept <= {name} or found["catalogue"]["revision"] > revision
            killing = asyncio.create_task(_killed(server, upstream, chance))
            revision, name = await _refreshed_until_killed(server, upstream, turn)
            await killing
            assert "moved aside" not in server.stderr


def _unpolled(upstream: PracticeUpstream, *, list_ttl: float = 600.0) -> str:
    """No poll gets between setting a list and refreshing it."""
    return settings(upstream, list_ttl=list_ttl, poll=False)


async def _killed(server: ServerProcess, upstream: PracticeUpstream, chance: random.Random) -> None:
    """Kill the server at a random moment of one of its refreshes."""
    await upstream.arrived(len(upstream.log) + chance.randrange(2, 30))
    for _ in range(chance.randrange(LONGEST_SPIN)):
        await asyncio.sleep(0)
    server.signal(signal.SIGKILL)


async def _refreshed_until_killed(server: ServerProcess, upstream: PracticeUpstream, turn: int) -> tuple[int, str]:
    """Refresh ever new lists; give the revision acknowledged last, and the name that all models had in it."""
    revision, acknowledged = 0, ""
    for number in range(10_000):
        name = f"{turn}-{number}"
        upstream.set_list("practice", [_row(index, name) for index in range(20)])
        try:
            data = await server.query(
                'mutation { refreshCatalogue(provider: "practice") { revision results { outcome } } }',
                token=ADMIN_TOKEN,
            )
        except (aiohttp.ClientError, ConnectionError):
            return revision, acknowledged
        refreshed = data["refreshCatalogue"]
        assert refreshed["results"] == [{"outcome": "UPDATED"}]
        revision, acknowledged = refreshed["revision"], name
    raise AssertionError("the server was not killed")


def _row(index: int, name: str) -> Row:
    return {"id": f"model-{index}", "name": name, "object": "model"}


Wrong = tuple[str, dict[str, str], list[str]]
"""The configuration, the environment, and the parts of the line."""
WRONG: list[Wrong] = [
    ("prot = 1\n", {}, ["catalogue.toml", "prot", "did you mean port"]),
    ('[providers.mine]\nbase_url = "http://localhost:1"\n', {}, ["providers.mine", "set adapter"]),
    ("", {"CATALOGUE_HOST": "192.0.2.1"}, ["host and port", "192.0.2.1", "set others"]),
]


async def test_bad_configuration_stops_the_start_with_one_line(
    tmp_path_factory: pytest.TempPathFactory, subtests: pytest.Subtests
) -> None:
    async def check(wrong: Wrong) -> None:
        toml, env, named = wrong
        server = ServerProcess(tmp_path_factory.mktemp("wrong"), toml, env=env)
        await server.spawn()
        assert await server.ended() == 2
        last = server.stderr.splitlines()[-1]
        assert last.startswith("Configuration: ")
        assert all(part in last for part in named), last
        assert "Traceback" not in server.stderr

    await at_once(WRONG, check, subtests)


async def test_a_data_folder_that_cannot_be_made_stops_the_start_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file stands where the folder should be")
    server = ServerProcess(tmp_path)
    await server.spawn()
    assert await server.ended() == 2
    assert server.stderr.splitlines()[-1].startswith("Configuration: ")
    assert "data" in server.stderr.splitlines()[-1]
    assert "Traceback" not in server.stderr

"""Nobody who listens to the running server, and nothing that it writes, hears of a key that it carries."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.endtoend.process import ADMIN_TOKEN, Events, ServerProcess
from tests.practice.faults import Fault
from tests.practice.upstream import PracticeUpstream
from tests.security.canaries import canary, echoing_settings, found

pytestmark = pytest.mark.process

SERVER, CALLER, TOML = canary("environment"), canary("caller"), canary("toml")
SECRETS = (SERVER, CALLER, TOML)
KEYED = {"X-Provider-Keys": json.dumps({"openrouter": CALLER, "practice": CALLER})}
CHANGES = """
subscription {
  catalogueChanged {
    kind
    ... on ModelAdded { model { id name description errorMessage } }
    ... on StatusChanged { model { id errorMessage } }
    ... on DetailsChanged { model { id name description } }
    ... on ProviderHealthChanged { health { error { message } quarantine { reason sample } } }
  }
}
"""
PROGRESS = "subscription { refreshProgress { provider { id } step result { outcome error { message } } } }"
EVERYTHING = """
{ catalogue { userProvidedKeys }
  models { id name description errorMessage lab endpoints { items { name } } }
  providers { id name health { error { message } quarantine { reason sample } } incidents { message } } }
"""
FAULTS = (
    Fault.UNAUTHORIZED,
    Fault.REDIRECT,
    Fault.RATE_LIMITED_ABSURDLY,
    Fault.WRONG_TYPES,
    Fault.SHRUNK,
    Fault.TRUNCATED,
)

TARGETS = (
    f"mutation {{ refreshCatalogue(provider: [{json.dumps(CALLER)}]) {{ revision }} }}",
    f"mutation {{ resolveQuarantine(quarantine: {json.dumps(CALLER)}, accept: true) {{ revision }} }}",
)
"""An admin who takes the own key for an id, and is alone told so; the audit log is on disk."""

AUDIT = "{ auditLog { nodes { actor target outcome } } }"

CRASHES = """
import asyncio, gc, sys, threading
from polling.callers import OwnLists
from server.cli import main

async def overlay(self, snapshot, keys):
    key = next(iter(keys.values())).get_secret_value()

    class Held:
        def __del__(self):
            raise RuntimeError(f"finalized with {key!r}")

    def breaks(place):
        held = key
        raise RuntimeError(f"{place}: no list for {held!r} at https://provider.example/?key={held}")

    async def lost():
        breaks("task")

    thread = threading.Thread(target=breaks, args=("thread",))
    thread.start()
    asyncio.get_running_loop().call_soon(breaks, "callback")
    lost_task = asyncio.create_task(lost())
    await asyncio.sleep(0)
    await asyncio.to_thread(thread.join)
    del lost_task
    Held()
    gc.collect()
    breaks("resolver")

OwnLists.overlay = overlay
main()
"""
"""A server that quotes its caller's key in an exception wherever one can arise."""


ENV = {
    "OPENROUTER_API_KEY": SERVER,
    "PRACTICE_KEY": SERVER,
    "CATALOGUE_LOG_LEVEL": "debug",
    "PYTHONASYNCIODEBUG": "1",
    "PYTHONDEVMODE": "1",
}


@asynccontextmanager
async def echoing() -> AsyncIterator[PracticeUpstream]:
    """Providers that repeat every secret they are sent, in each answer and in every spelling."""
    async with PracticeUpstream() as upstream:
        for name in ("openrouter", "practice"):
            upstream.set_keys(name, {SERVER: None, CALLER: None})
            upstream.provider(name).echoes = ("Authorization", "X-Own")
        yield upstream


async def asked(server: ServerProcess, document: str, **headers: str) -> bytes:
    async with server.session.post("/graphql", json={"query": document}, headers=headers) as answer:
        return await answer.read() + repr(dict(answer.headers)).encode()


def files(folder: Path) -> list[tuple[str, bytes]]:
    return [(path.name, path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file()]


async def test_subscribers_the_store_and_the_doctor_are_told_no_key_by_providers_that_repeat_them(
    tmp_path: Path,
) -> None:
    told: asyncio.Queue[Any] = asyncio.Queue()

    async def listen(events: Events) -> None:
        async for event in events:
            told.put_nowait(event)

    async with (
        echoing() as upstream,
        ServerProcess(tmp_path, echoing_settings(upstream, TOML, ttl=1), env=ENV) as server,
        AsyncExitStack() as listening,
        asyncio.TaskGroup() as listeners,
    ):
        following = [
            listeners.create_task(listen(await listening.enter_async_context(server.subscription(transport, document))))
            for transport in ("ws", "sse")
            for document in (CHANGES, PROGRESS)
        ]
        answers = [await asked(server, EVERYTHING, **KEYED)]
        for fault in FAULTS:
            upstream.set_fault("openrouter", fault)
            upstream.set_fault("practice", fault)
            results = await server.refresh()
            answers += [await asked(server, EVERYTHING), await asked(server, EVERYTHING, **KEYED)]
            answers.append(json.dumps(results).encode())
        for document in TARGETS:
            refused = await asked(server, document, Authorization=f"Bearer {ADMIN_TOKEN}", **KEYED)
            assert b"UNKNOWN_PROVIDER" in refused or b"BAD_USER_INPUT" in refused
        upstream.clear()
        await server.refresh()
        doctor = [await server.told_by("doctor"), await server.told_by("doctor", "--json")]
        kept = files(server.data_dir)
        for task in following:
            task.cancel()
    kept += [*files(server.data_dir), ("stderr", server.stderr.encode())]
    heard = [told.get_nowait() for _ in range(told.qsize())]
    places = [("events", json.dumps(heard).encode()), *(("answer", answer) for answer in answers)]
    assert found([*places, *kept, *(("doctor", words) for words in doctor)], SECRETS) == []
    assert {"catalogue.db", "catalogue.db-wal"} <= {name for name, _ in kept}
    assert any("kind" in event for event in heard)
    assert any("step" in event for event in heard)
    assert b"[redacted]" in b"".join(answers)
    assert b"provider openrouter" in doctor[0]


@pytest.mark.parametrize("log_format", ["console", "json"])
async def test_an_exception_that_quotes_a_key_is_told_without_it_wherever_it_arises(
    tmp_path: Path, log_format: str
) -> None:
    env = {**ENV, "CATALOGUE_LOG_FORMAT": log_format}
    command = (sys.executable, "-c", CRASHES)
    async with (
        echoing() as upstream,
        ServerProcess(tmp_path, echoing_settings(upstream, TOML, ttl=1), env=env, command=command) as server,
    ):
        answers = [await asked(server, EVERYTHING, **KEYED) for _ in range(2)]
        answers.append(await asked(server, AUDIT, Authorization=f"Bearer {ADMIN_TOKEN}"))
        async with server.session.get("/api/models", headers=KEYED) as answer:
            answers.append(await answer.read())
        for quoted in ("resolver: no", "thread: no", "callback: no", "task: no", "finalized with"):
            await server.logged(quoted)
    places = [*(("answer", told) for told in answers), *files(server.data_dir), ("stderr", server.stderr.encode())]
    assert found(places, SECRETS) == []
    assert b"INTERNAL" in answers[0]

"""Secrets planted wherever the server takes one in are found in nothing that it says, logs or keeps."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from tests.endtoend.process import PATIENCE, REFRESH, ServerProcess
from tests.practice.faults import Fault
from tests.practice.upstream import PracticeUpstream
from tests.security.canaries import canary, echoing_settings, forms, found

SERVER, HEADER, SOCKET = canary("environment"), canary("header"), canary("socket")
REFUSED, MISPLACED, OWN_HEADER = canary("refused"), canary("misplaced"), canary("toml")
TOKEN, WRONG_TOKEN, HASHING, IN_URL = canary("token"), canary("wrongtoken"), canary("hashing"), canary("url")
ALL = (SERVER, HEADER, SOCKET, REFUSED, MISPLACED, OWN_HEADER, TOKEN, WRONG_TOKEN, HASHING, IN_URL)
FAULTS = (Fault.UNAUTHORIZED, Fault.SERVER_ERROR, Fault.HTML, Fault.REDIRECT, Fault.TRUNCATED, Fault.WRONG_TYPES)
EVERYTHING = """
{ catalogue { userProvidedKeys } models(limit: 5) { id name description endpoints { state items { name } } }
  providers { id health { status error { code message } incidents: consecutiveFailures } incidents { message } } }
"""
CHECK = 'mutation { checkProviderKey(provider: "openrouter") { outcome message } }'
AUDIT = "{ auditLog { nodes { actor action target outcome count } } }"


@dataclass
class Witness:
    """A client that keeps all that it is told."""

    server: ServerProcess
    heard: list[tuple[str, bytes]] = field(default_factory=list)

    async def ask(self, document: str, *, url: str = "/graphql", **headers: str) -> None:
        async with self.server.session.post(url, json={"query": document}, headers=headers) as answer:
            self._keep(document, answer.headers, await answer.read())

    async def get(self, url: str, **headers: str) -> None:
        async with self.server.session.get(url, headers=headers) as answer:
            self._keep(url, answer.headers, await answer.read())

    async def connect(self, init: object, document: str) -> None:
        """Open a socket and run one operation, as far as the server lets it come."""
        async with self.server.session.ws_connect("/graphql", protocols=["graphql-transport-ws"]) as socket:
            await socket.send_json({"type": "connection_init", "payload": init})
            await socket.send_json({"type": "ping", "payload": init})
            said = await socket.receive(PATIENCE)
            while said.type is aiohttp.WSMsgType.TEXT and json.loads(said.data)["type"] not in {"complete", "error"}:
                if json.loads(said.data)["type"] == "connection_ack":
                    await socket.send_json({"type": "subscribe", "id": "1", "payload": {"query": document}})
                if json.loads(said.data)["type"] != "pong":
                    self._keep("socket", {}, said.data.encode())
                said = await socket.receive(PATIENCE)
            self._keep("close", {}, f"{said.data} {said.extra}".encode())

    def _keep(self, what: str, headers: Mapping[str, str], body: bytes) -> None:
        self.heard.append((f"the answer to {what[:60]}", body + repr(dict(headers)).encode()))


def _keys(**keys: str) -> str:
    return json.dumps(keys)


async def _use_everything(witness: Witness, upstream: PracticeUpstream, token: str) -> None:
    """Bring every secret to every door, good and bad, while the providers repeat what they were sent."""
    await witness.ask(REFRESH, Authorization=token)
    await witness.ask(EVERYTHING)
    for key in (HEADER, REFUSED):
        await witness.ask(EVERYTHING, **{"X-Provider-Keys": _keys(openrouter=key, practice=key)})
        await witness.ask(CHECK, **{"X-Provider-Keys": _keys(openrouter=key)})
        await witness.get("/api/models", **{"X-Provider-Keys": _keys(openrouter=key)})
    for wrong in (MISPLACED, _keys(**{MISPLACED: "x"}), _keys(openrouter=MISPLACED * 20), f'["{MISPLACED}"]'):
        await witness.ask(EVERYTHING, **{"X-Provider-Keys": wrong})
        await witness.get("/api/models", **{"X-Provider-Keys": wrong})
    await witness.ask(AUDIT, Authorization=f"Bearer {WRONG_TOKEN}")
    await witness.get("/api/models?force=true", Authorization=f"Basic {WRONG_TOKEN}")
    await witness.get(f"/graphql?query={{__typename}}&api_key={IN_URL}")
    await witness.ask("{ __typename }", url=f"/nowhere?token={IN_URL}")
    await witness.connect({"providerKeys": {"openrouter": SOCKET, "practice": SOCKET}}, EVERYTHING)
    for init in ({"providerKeys": [MISPLACED]}, {"providerKeys": {MISPLACED: SOCKET}}, {"providerKeys": {"x": SOCKET}}):
        await witness.connect(init, EVERYTHING)
    for fault in FAULTS:
        upstream.set_fault("openrouter", fault)
        upstream.set_fault("practice", fault)
        await witness.ask(REFRESH, Authorization=token)
        late = {"openrouter": f"{HEADER}-{fault}"}
        await witness.ask(EVERYTHING, **{"X-Provider-Keys": json.dumps(late)})
        await witness.ask(CHECK, **{"X-Provider-Keys": json.dumps(late)})
    upstream.clear()


async def _break_the_store(witness: Witness, data_dir: Path, token: str) -> None:
    """Make answering fail in ways that nobody foresaw, with keys at hand."""
    with closing(sqlite3.connect(data_dir / "catalogue.db")) as store:
        tables = [name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            if "audit" in table or "health" in table or "incident" in table:
                store.execute(f"DROP TABLE {table}")
    await witness.ask(AUDIT, Authorization=token, **{"X-Provider-Keys": _keys(openrouter=HEADER)})
    await witness.ask(EVERYTHING, **{"X-Provider-Keys": _keys(openrouter=HEADER)})


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield f"file {path.name}", path.read_bytes()


@pytest.mark.parametrize("log_format", ["console", "json"])
@pytest.mark.process
async def test_a_planted_secret_is_found_in_no_log_answer_or_file(tmp_path: Path, log_format: str) -> None:
    """In no log record, answer, header, close reason, audit entry or file, in no form that texts take on the way."""
    env = {
        "OPENROUTER_API_KEY": SERVER,
        "PRACTICE_KEY": SERVER,
        "CATALOGUE_SECRET": HASHING,
        "CATALOGUE_ADMIN_TOKENS": f"ops:{TOKEN}",
        "CATALOGUE_LOG_FORMAT": log_format,
        "CATALOGUE_LOG_LEVEL": "debug",
        "PYTHONASYNCIODEBUG": "1",
    }
    async with PracticeUpstream() as upstream:
        for name in ("openrouter", "practice"):
            upstream.set_keys(name, {SERVER: None, HEADER: None, SOCKET: None})
            upstream.provider(name).echoes = ("Authorization", "X-Own")
        async with ServerProcess(tmp_path, echoing_settings(upstream, OWN_HEADER), env=env) as server:
            witness = Witness(server)
            await _use_everything(witness, upstream, f"Bearer {TOKEN}")
            await witness.ask(AUDIT, Authorization=f"Bearer {TOKEN}")
            kept = list(_files(server.data_dir))
            await _break_the_store(witness, server.data_dir, f"Bearer {TOKEN}")
            stdout = asyncio.create_task(server._stdout.read())
        places = [*witness.heard, *kept, *_files(server.data_dir), ("stderr", server.stderr.encode())]
    assert found([*places, ("stdout", await stdout)], ALL) == []
    everything = b"".join(text for _, text in places)
    for word in (b'"userProvidedKeys":["openrouter"', b"useProviderKey", b"authenticate", b"INTERNAL", b"[redacted]-"):
        assert word in everything, word
    assert "unexpected_error" in server.stderr


@pytest.mark.parametrize("form", sorted(forms(SERVER)))
def test_the_search_finds_a_secret_in_every_form(form: bytes) -> None:
    assert found([("here", b"<" + form + b">")], ALL) == ["environment in here"]

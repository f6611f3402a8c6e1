"""Twenty callers of one provider, each with another key: what happens to one's key or list shows others nothing."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.endtoend.process import ServerProcess
from tests.practice.rows import openrouter_row
from tests.practice.upstream import PracticeUpstream

pytestmark = pytest.mark.process

PUBLIC = {"openrouter/lab/common", "openrouter/lab/public"}
OWN = {f"sk-practice-many-{n:02}": {"openrouter/lab/common", f"openrouter/lab/own-{n}"} for n in range(20)}
REVOKED, STUCK, *OTHERS = OWN
SEEN = '{ models(provider: "openrouter") { id } provider(id: "openrouter") { health { error { code } } } }'


class _Upstream(PracticeUpstream):
    """Leaves what comes with the stuck key unanswered until `free` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.free = asyncio.Event()
        self.free.set()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if STUCK in request.headers.get("Authorization", ""):
            await self.free.wait()
        return await super()._handle(request)


def _settings(upstream: PracticeUpstream) -> str:
    return f"""
model_list_ttl = 0.8
provider_health_ttl = 600
key_wait_seconds = 0.2
[providers.openrouter]
base_url = "{upstream.base_url("openrouter")}"
poll = false
requests_per_minute = 60000
burst = 10000
"""


def _rows(ids: set[str]) -> list[dict[str, Any]]:
    return [openrouter_row(id_.removeprefix("openrouter/")) for id_ in sorted(ids)]


async def _ask(server: ServerProcess, key: str) -> Any:
    headers = {"X-Provider-Keys": json.dumps({"openrouter": key})}
    async with server.session.post("/graphql", json={"query": SEEN}, headers=headers) as answer:
        return (await answer.json())["data"]


async def _ids(server: ServerProcess, key: str) -> set[str]:
    """What a caller sees: the own rows or the public ones, and nothing else ever."""
    ids = {model["id"] for model in (await _ask(server, key))["models"]}
    assert ids in (PUBLIC, OWN[key]), key
    return ids


async def _until(server: ServerProcess, key: str, ids: set[str]) -> None:
    while await _ids(server, key) != ids:
        pass


async def test_callers_keep_to_their_own_while_one_key_is_revoked_and_one_list_hangs(tmp_path: Path) -> None:
    async with _Upstream() as upstream, asyncio.timeout(30):
        upstream.set_list("openrouter", _rows(PUBLIC))
        upstream.set_keys("openrouter", {key: _rows(ids) for key, ids in OWN.items()})
        async with ServerProcess(tmp_path, _settings(upstream)) as server:
            await server.refresh()
            await asyncio.gather(*(_ids(server, key) for key in OWN for _ in range(10)))
            upstream.free.clear()
            upstream.set_keys("openrouter", {key: _rows(ids) for key, ids in OWN.items() if key != REVOKED})
            await asyncio.gather(*(_ids(server, key) for key in OWN for _ in range(10)))
            await asyncio.gather(_until(server, REVOKED, PUBLIC), _until(server, STUCK, PUBLIC))
            await asyncio.gather(*(_until(server, key, OWN[key]) for key in OTHERS))
            upstream.free.set()
            await _until(server, STUCK, OWN[STUCK])
            assert (await _ask(server, REVOKED))["provider"]["health"]["error"]["code"] == "UNAUTHORIZED"

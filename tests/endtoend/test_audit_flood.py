"""A flood of wrong tokens, made-up keys or tries without a token leaves few audit entries, and holds nobody up."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest

from server.callers.audit_log import MAX_KEYS
from tests.endtoend.conftest import settings
from tests.endtoend.process import ADMIN_TOKEN, ServerProcess
from tests.practice.upstream import PracticeUpstream

pytestmark = pytest.mark.process

ADDRESSES = 20
STRANGERS = 8
"""Addresses that vary what they try."""
EACH = 60
KEYS_EACH = 10
"""Different keys of one provider that one address may try in a minute."""
AUDIT = "{ auditLog(first: 500) { nodes { actor action target outcome count } } }"
REFRESH = 'refreshCatalogue(provider: "{}")'
QUERY = "{ models(limit: 20) { id name status } }"


async def flood(server: ServerProcess, address: str) -> list[int]:
    """Send wrong tokens and made-up keys from an address of its own, one after the other."""
    connector = aiohttp.TCPConnector(local_addr=(address, 0), limit=1)
    async with aiohttp.ClientSession(server.url, connector=connector) as stranger:

        async def send(number: int) -> int:
            made_up = json.dumps({"openrouter": f"sk-made-up-{address}-{number:04}"})
            headers = {"X-Provider-Keys": made_up} if number % 6 == 0 else {"Authorization": f"Bearer wrong-{number}"}
            async with stranger.post("/graphql", json={"query": "{ __typename }"}, headers=headers) as answer:
                return answer.status

        return await asyncio.gather(*(send(number) for number in range(EACH)))


async def test_a_flood_of_made_up_credentials_leaves_few_entries_and_slows_nobody(tmp_path: Path) -> None:
    async with PracticeUpstream() as upstream:
        async with ServerProcess(tmp_path, settings(upstream)) as server:
            await server.refresh()
            floods = [asyncio.create_task(flood(server, f"127.0.1.{n + 1}")) for n in range(ADDRESSES)]
            answered = 0
            while not all(task.done() for task in floods):
                await server.query(QUERY)
                answered += 1
            statuses = [status for task in floods for status in await task]
            nodes = (await server.query(AUDIT, token=ADMIN_TOKEN))["auditLog"]["nodes"]
            assert (await server.refresh("practice"))[0]["outcome"] in {"UPDATED", "UNCHANGED"}
        with closing(sqlite3.connect(server.data_dir / "catalogue.db")) as store:
            stored = store.execute("SELECT actor, action, count FROM audit").fetchall()
    assert set(statuses) <= {200, 401, 429}
    rejected = [node for node in nodes if node["action"] == "authenticate"]
    assert {node["outcome"] for node in rejected} == {"rejected"}
    assert len(rejected) <= ADDRESSES
    assert sum(node["count"] for node in rejected) == statuses.count(401)
    uses = [row for row in stored if row[1] == "useProviderKey"]
    assert len(uses) <= min(ADDRESSES * KEYS_EACH, MAX_KEYS)
    assert sum(count for _, _, count in uses) == statuses.count(200)
    assert answered >= EACH / 2, "a reader waits for about one request of each address"


async def test_strangers_who_vary_what_they_try_neither_fill_the_audit_log_nor_hide_a_wrong_token(
    tmp_path: Path,
) -> None:
    async def vary(server: ServerProcess, address: str) -> None:
        connector = aiohttp.TCPConnector(local_addr=(address, 0), limit=4)
        async with aiohttp.ClientSession(server.url, connector=connector) as stranger:

            async def send(number: int) -> None:
                field = 'resolveQuarantine(quarantine: "{}", accept: true)' if number % 2 else REFRESH
                body = {"query": f"mutation {{ {field.replace('{}', f'{address}-{number}')} {{ revision }} }}"}
                async with stranger.post("/graphql", json=body) as answer:
                    assert "UNAUTHENTICATED" in await answer.text()

            await asyncio.gather(*(send(number) for number in range(EACH)))

    async with PracticeUpstream() as upstream, ServerProcess(tmp_path, settings(upstream)) as server:
        await asyncio.gather(*(vary(server, f"127.0.2.{n + 1}") for n in range(STRANGERS)))
        connector = aiohttp.TCPConnector(local_addr=("127.0.3.1", 0))
        async with aiohttp.ClientSession(server.url, connector=connector) as guesser:
            headers = {"Authorization": "Bearer wrong"}
            async with guesser.post("/graphql", json={"query": QUERY}, headers=headers) as answer:
                assert answer.status == 401
        nodes = (await server.query(AUDIT, token=ADMIN_TOKEN))["auditLog"]["nodes"]
    tried = [node for node in nodes if node["outcome"] == "unauthenticated"]
    assert len(tried) == STRANGERS * 2
    assert {node["target"] for node in tried} == {None}
    assert sum(node["count"] for node in tried) == STRANGERS * EACH
    assert [node["actor"] for node in nodes if node["outcome"] == "rejected"] == ["address:127.0.3.1"]

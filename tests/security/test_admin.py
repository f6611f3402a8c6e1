"""Admins over the real server: who may do what, and that every try stands in the audit log."""

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.endtoend.process import QueryError, ServerProcess
from tests.practice.upstream import PracticeUpstream

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]

OLD, NEW, READER, FRESH, HASHED = (
    "ops-token-1-of-2",
    "ops-token-2-of-2",
    "the-readers-token",
    "the-fresh-ones-token",
    "the-hashed-token",
)
TOKENS = ",".join(
    (
        f"ops:{OLD}",
        f"ops:{NEW}",
        f"reader:read:{READER}",
        f"fresh:refresh:{FRESH}",
        f"hashed:read+refresh:sha256${hashlib.sha256(HASHED.encode()).hexdigest()}",
    )
)
REFRESH = 'mutation { refreshCatalogue(provider: "openrouter") { revision } }'
RESOLVE = 'mutation { resolveQuarantine(quarantine: "none", accept: true) { revision } }'
AUDIT = "{ auditLog(first: 500) { nodes { at actor action target outcome count } } }"
GUESSES = 30
"""Requests that one client may send at once."""
KEY = "sk-practice-of-a-caller"


def _settings(upstream: PracticeUpstream) -> str:
    return f"""
provider_health_ttl = 600
[limits]
limit_loopback = true
burst = {GUESSES}
requests_per_minute = 1
[providers.openrouter]
base_url = "{upstream.base_url("openrouter")}"
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def upstream() -> AsyncIterator[PracticeUpstream]:
    async with PracticeUpstream() as played:
        yield played


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(upstream: PracticeUpstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    env = {"CATALOGUE_ADMIN_TOKENS": TOKENS}
    async with ServerProcess(tmp_path_factory.mktemp("admin"), _settings(upstream), env=env) as started:
        yield started


@asynccontextmanager
async def _at(server: ServerProcess, host: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A client at another address of this machine."""
    connector = aiohttp.TCPConnector(local_addr=(host, 0))
    async with aiohttp.ClientSession(server.url, connector=connector) as session:
        yield session


async def _code(server: ServerProcess, document: str, token: str | None) -> str | None:
    try:
        await server.query(document, token=token)
    except QueryError as error:
        return str(error.codes[0])
    return None


async def _audited(server: ServerProcess, token: str = NEW) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = (await server.query(AUDIT, token=token))["auditLog"]["nodes"]
    return nodes


async def test_each_right_opens_what_it_is_for(server: ServerProcess) -> None:
    """Old and new token of one name hold at once, a hash stands for its token, and admin holds every right."""
    nothing = "BAD_USER_INPUT"
    table: dict[str | None, tuple[str | None, str | None, str | None]] = {
        READER: (None, "FORBIDDEN", "FORBIDDEN"),
        HASHED: (None, None, "FORBIDDEN"),
        FRESH: ("FORBIDDEN", None, "FORBIDDEN"),
        OLD: (None, None, nothing),
        NEW: (None, None, nothing),
        None: ("UNAUTHENTICATED", "UNAUTHENTICATED", "UNAUTHENTICATED"),
    }
    for token, expected in table.items():
        found = tuple([await _code(server, document, token) for document in (AUDIT, REFRESH, RESOLVE)])
        assert found == expected, token


async def test_force_needs_the_right_to_refresh(server: ServerProcess) -> None:
    statuses = {}
    for token in (None, READER, FRESH):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with server.session.get("/api/models?force=true&provider=openrouter", headers=headers) as answer:
            statuses[token] = answer.status
    assert statuses == {None: 401, READER: 403, FRESH: 200}


async def test_every_try_is_audited_with_who_what_when_and_outcome(server: ServerProcess) -> None:
    assert await _code(server, REFRESH, FRESH) is None
    assert await _code(server, REFRESH, READER) == "FORBIDDEN"
    assert await _code(server, RESOLVE, OLD) == "BAD_USER_INPUT"
    assert await _code(server, REFRESH, None) == "UNAUTHENTICATED"
    entries = await _audited(server)
    told = {(e["actor"], e["action"], e["target"], e["outcome"]) for e in entries}
    assert {
        ("fresh", "refreshCatalogue", "openrouter", "ok"),
        ("reader", "refreshCatalogue", "openrouter", "forbidden"),
        ("ops", "resolveQuarantine", "unknown", "bad_user_input"),
        ("address:127.0.0.1", "refreshCatalogue", None, "unauthenticated"),
    } <= told
    for entry in entries:
        assert datetime.now(UTC) - timedelta(seconds=60) <= datetime.fromisoformat(entry["at"]) <= datetime.now(UTC)
    await server.logged('"action": "resolveQuarantine"')


async def test_guesses_are_audited_and_cut_off_by_address(server: ServerProcess) -> None:
    """Whoever guesses tokens spends the address's allowance, and not that of the tokens' holders, even those there."""
    statuses = []
    async with _at(server, "127.0.0.2") as guesser:
        for number in range(GUESSES + 3):
            headers = {"Authorization": f"Bearer guess-{number}"}
            async with guesser.post("/graphql", json={"query": "{ __typename }"}, headers=headers) as answer:
                statuses.append(answer.status)
        async with guesser.post("/graphql", json={"query": "{ __typename }"}) as answer:
            assert answer.status == 429
        holder = {"Authorization": f"Bearer {NEW}"}
        async with guesser.post("/graphql", json={"query": "{ __typename }"}, headers=holder) as answer:
            assert answer.status == 200
    assert statuses == [401] * GUESSES + [429] * 3
    rejected = [entry for entry in await _audited(server) if entry["actor"] == "address:127.0.0.2"]
    assert {(entry["action"], entry["outcome"]) for entry in rejected} == {("authenticate", "rejected")}
    assert sum(entry["count"] for entry in rejected) == GUESSES + 3
    assert "guess-" not in server.stderr


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Basic b3BzOm9wcw==", "Bearer ops", OLD, f"bearer  x{OLD}", "\xff"]
)
async def test_what_is_no_token_is_turned_away(server: ServerProcess, header: str) -> None:
    async with server.session.post(
        "/graphql", json={"query": "{ __typename }"}, headers={"Authorization": header}
    ) as answer:
        assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert (await answer.json())["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_uses_of_callers_keys_are_audited_together_by_fingerprint(
    upstream: PracticeUpstream, tmp_path: Path
) -> None:
    env = {"CATALOGUE_ADMIN_TOKENS": TOKENS}
    headers = {"X-Provider-Keys": json.dumps({"openrouter": KEY})}
    async with ServerProcess(tmp_path, _settings(upstream), env=env) as server:
        for _ in range(5):
            async with server.session.post("/graphql", json={"query": "{ __typename }"}, headers=headers) as answer:
                assert answer.status == 200
    async with ServerProcess(tmp_path, _settings(upstream), env=env) as server:
        uses = [entry for entry in await _audited(server) if entry["action"] == "useProviderKey"]
    assert [(use["target"], use["outcome"], use["count"]) for use in uses] == [("openrouter", "ok", 5)]
    assert uses[0]["actor"].startswith("key:")
    assert len(uses[0]["actor"]) == len("key:") + 12


async def test_a_token_that_is_gone_from_the_configuration_holds_no_more(
    upstream: PracticeUpstream, tmp_path: Path
) -> None:
    async with ServerProcess(tmp_path, _settings(upstream), env={"CATALOGUE_ADMIN_TOKENS": f"ops:{NEW}"}) as server:
        assert await _code(server, AUDIT, OLD) == "UNAUTHENTICATED"
        assert await _code(server, AUDIT, NEW) is None

"""The cost of identifying a caller: one token hash for a request or a socket, one parsed address for a connection."""

from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
from pydantic import SecretStr

from server.app import application
from server.callers import addresses
from server.callers.caller import Callers
from server.callers.client_limits import ClientLimits
from server.config import tokens
from server.config.settings import Settings
from tests.resolvers.fakes import FakeAudit, Ports
from tests.small.over_sockets import serving

TOKEN = "s3cret-0123456789"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
QUERY = {"query": "{ models(limit: 1) { id } }"}


class Count:
    """Counts the calls of a function."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
        self.calls = 0
        self._function: Callable[..., Any] = getattr(module, name)
        monkeypatch.setattr(module, name, self)

    def __call__(self, *arguments: Any) -> Any:
        self.calls += 1
        return self._function(*arguments)


@pytest.fixture
async def url() -> AsyncIterator[str]:
    ports, settings = Ports(), Settings()
    limits = ClientLimits(settings.limits, exempt_loopback=False)
    callers = Callers(
        tokens=(tokens.read_token(f"ops:{TOKEN}"),),
        providers=("alpha",),
        limits=limits,
        secret=SecretStr("x" * 32),
        audit=FakeAudit(),
    )
    parts = cast("Any", SimpleNamespace(services=ports.services, feed=SimpleNamespace(closed=False)))
    async with serving(application(parts, settings=settings, callers=callers, limits=limits)) as (_, p):
        yield f"http://127.0.0.1:{p}"


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Count:
    return Count(monkeypatch, addresses, "ip_address")


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> Count:
    return Count(monkeypatch, tokens, "_digest")


async def test_requests_on_one_connection_hash_a_token_each_and_parse_the_address_once(
    url: str, parsed: Count, hashed: Count
) -> None:
    hashed.calls = 0
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1), headers=HEADERS) as client:
        for number in range(1, 4):
            async with client.post(f"{url}/graphql", json=QUERY) as answer:
                assert answer.headers["RateLimit-Remaining"]
                assert "errors" not in await answer.json()
            assert (hashed.calls, parsed.calls) == (number, 1)
        async with client.get(f"{url}/api/models") as answer:
            assert answer.status == 200
        assert (hashed.calls, parsed.calls) == (4, 1)


async def test_a_socket_is_identified_once(url: str, parsed: Count, hashed: Count) -> None:
    hashed.calls = 0
    async with (
        aiohttp.ClientSession(headers=HEADERS) as client,
        client.ws_connect(f"{url}/graphql", protocols=["graphql-transport-ws"]) as socket,
    ):
        await socket.send_json({"type": "connection_init", "payload": {"providerKeys": {"alpha": "a-key-0123456789"}}})
        assert (await socket.receive_json())["type"] == "connection_ack"
        for number in range(3):
            await socket.send_json({"id": str(number), "type": "subscribe", "payload": QUERY})
            assert (await socket.receive_json())["type"] == "next"
            assert (await socket.receive_json())["type"] == "complete"
        assert (hashed.calls, parsed.calls) == (1, 1)

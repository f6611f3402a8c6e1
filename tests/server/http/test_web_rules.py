"""The web's rules: strict headers on every answer, and leave for listed origins alone."""

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from server.callers.caller import Callers
from server.callers.client_limits import ClientLimits
from server.config.limits import Limits
from server.http.client_gate import ClientGate
from server.http.origins import Origins
from tests.server.asked import Notes

APP = "https://app.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-provider-keys"}


async def _plain(_: Request) -> Response:
    return PlainTextResponse("x", headers={"Server": "banner", "Vary": "Accept"})


async def _page(_: Request) -> Response:
    return PlainTextResponse("x", headers={"Content-Security-Policy": "default-src 'self'"})


def _client(*origins: str) -> httpx.AsyncClient:
    app = Starlette(routes=[Route("/", _plain), Route("/page", _page)])
    listed = Origins(frozenset(origins))
    limits = ClientLimits(Limits(), exempt_loopback=True)
    callers = Callers(tokens=(), providers=(), limits=limits, secret=SecretStr("s" * 32), audit=Notes())
    gate = ClientGate(app, callers=callers, limits=limits, origins=listed)
    return httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="https://catalogue.example")


@pytest.mark.parametrize("path", ["/", "/missing"])
async def test_every_answer_is_strict_and_without_a_banner(path: str) -> None:
    headers = (await _client().get(path)).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers
    assert "set-cookie" not in headers


async def test_a_page_keeps_a_policy_of_its_own() -> None:
    assert (await _client().get("/page")).headers["content-security-policy"] == "default-src 'self'"


async def test_a_listed_origin_may_read_answers() -> None:
    headers = (await _client(APP).get("/", headers={"Origin": APP})).headers
    assert headers["access-control-allow-origin"] == APP
    assert "RateLimit" in headers["access-control-expose-headers"]
    assert headers["vary"] == "Accept, Origin"
    assert "access-control-allow-credentials" not in headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://app.example", "https://app.example.evil", "null", APP + ":8443"]
)
async def test_another_origin_may_not(origin: str) -> None:
    client = _client(APP)
    assert "access-control-allow-origin" not in (await client.get("/", headers={"Origin": origin})).headers
    refused = await client.options("/", headers={"Origin": origin, **PREFLIGHT})
    assert refused.status_code == 403
    assert not [name for name in refused.headers if name.startswith("access-control-")]


async def test_answers_vary_by_origin_even_without_one() -> None:
    assert "Origin" in (await _client(APP).get("/")).headers["vary"]


async def test_a_preflight_of_a_listed_origin_is_answered_before_the_application() -> None:
    answer = await _client(APP).options("/missing", headers={"Origin": APP, **PREFLIGHT})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == APP
    for name in ("Authorization", "Content-Type", "X-Provider-Keys", "Last-Event-ID"):
        assert name in answer.headers["access-control-allow-headers"]

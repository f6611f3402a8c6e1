"""What nobody foresaw, with keys at hand: the client gets an id, the log the same id, and neither gets a key."""

import json
import logging
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
import structlog
from pydantic import SecretStr
from starlette.types import ASGIApp

from catalogue.ports.on_demand import Overlay
from catalogue.snapshot import Snapshot
from server.app import application
from server.callers.caller import Callers
from server.callers.client_limits import ClientLimits
from server.config.settings import Settings
from server.config.tokens import read_token
from server.logging import LogFormat, configure
from server.redaction import Redactor
from tests.resolvers.fakes import FakeAudit, FakeOwnLists, Ports
from tests.security.canaries import canary, found

HEADER, TOKEN = canary("header"), canary("token")
HEADERS = {"X-Provider-Keys": json.dumps({"alpha": HEADER}), "Authorization": f"Bearer {TOKEN}"}


class Broken(FakeOwnLists):
    """Fails as code does that quotes its arguments."""

    async def overlay(self, snapshot: Snapshot, keys: Mapping[str, SecretStr]) -> Overlay:
        del snapshot
        lists: dict[str, Overlay] = {}
        try:
            return lists[keys["alpha"].get_secret_value()]
        except KeyError as error:
            raise RuntimeError(f"no list for {HEADER!r} at https://x/?key={HEADER}, token {TOKEN}") from error


def _application() -> ASGIApp:
    ports = Ports()
    limits = ClientLimits(Settings().limits, exempt_loopback=True)
    callers = Callers(
        tokens=(read_token(f"ops:{TOKEN}"),),
        providers=("alpha",),
        limits=limits,
        secret=SecretStr("x" * 32),
        audit=FakeAudit(),
    )
    parts = cast("Any", SimpleNamespace(services=replace(ports.services, own_lists=Broken())))
    return application(parts, settings=Settings(), callers=callers, limits=limits)


@pytest.fixture(autouse=True)
def _own_logging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave the other tests' loggers as they are."""
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.root, "level", logging.root.level)
    monkeypatch.setattr(logging.root.manager, "loggerDict", {})
    monkeypatch.setattr(logging, "raiseExceptions", True)
    for where, name in ((sys, "excepthook"), (threading, "excepthook"), (sys, "unraisablehook")):
        monkeypatch.setattr(where, name, getattr(where, name))
    yield
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.mark.parametrize("log_format", ["console", "json"])
async def test_a_crash_that_quotes_keys_tells_them_to_nobody(
    capfd: pytest.CaptureFixture[str], log_format: LogFormat
) -> None:
    configure(log_format, "debug", Redactor())
    transport = httpx.ASGITransport(_application(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        answers = [
            await client.post("/graphql", json={"query": "{ models { id } }"}, headers=HEADERS),
            await client.get("/graphql", params={"query": "{ catalogue { revision } }"}, headers=HEADERS),
            await client.get("/api/models", headers=HEADERS),
        ]
    logged = capfd.readouterr().err
    for answer in answers:
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert found([("answer", answer.content), ("headers", repr(answer.headers).encode())], (HEADER, TOKEN)) == []
        whole = answer.json()
        error_id = whole["errors"][0]["extensions"]["id"] if "errors" in whole else whole["error"]["id"]
        assert error_id in logged
    assert found([("log", logged.encode())], (HEADER, TOKEN)) == []
    assert logged.count("RuntimeError") == 3
    assert answers[2].status_code == 500

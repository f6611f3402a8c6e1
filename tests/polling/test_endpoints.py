"""Endpoints on demand: one call for any number of readers, a bounded wait, and the truth about failures."""

import asyncio
import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from catalogue.endpoint import Endpoint, EndpointList
from catalogue.facts import ModelFacts
from catalogue.health import Health, Problem, Problems
from catalogue.listing import Listing
from catalogue.provider import ProviderState, provider_state
from catalogue.snapshot import snapshot_of
from catalogue.vocabulary import BreakerState, EndpointState, HealthStatus, ProviderErrorCode
from polling import endpoints
from polling.deps import OnDemandDeps
from polling.endpoints import OnDemandEndpoints
from providers import openrouter, requesty
from providers._kit.adapter import Adapter
from tests.polling.still_clock import StillClock, settle
from upstream.errors import Rejected, Unauthorized, Unreachable
from upstream.http import Response
from upstream.parse import parse_endpoints
from upstream.parsing import Parser
from upstream.upstream import Upstream

RECORDED = Path(__file__).parents[2] / "../shared/payloads/openrouter/endpoints-glm-5.2-2026-07-20.json"
CANARY = "sk-canary-0123456789"
TTL = timedelta(hours=1)
OPENROUTER = Upstream(
    id="openrouter",
    name="OpenRouter",
    adapter=openrouter.ADAPTER,
    base_url="https://openrouter.test/api/v1",
    key=SecretStr(CANARY),
)
REQUESTY = Upstream(id="requesty", name="Requesty", adapter=requesty.ADAPTER, base_url="https://requesty.test/v1")


def body(*hosts: str) -> bytes:
    return json.dumps({"data": {"endpoints": [{"provider_name": host, "status": 0} for host in hosts]}}).encode()


class World:
    """Two providers, of which only OpenRouter publishes endpoints, called when the test lets it."""

    def __init__(self) -> None:
        self.clock = StillClock()
        self.urls: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self.answer: bytes | Exception = body("Alpha", "Beta")
        self.go = asyncio.Event()
        self.go.set()
        self.snapshot = snapshot_of((self._state(u) for u in (OPENROUTER, REQUESTY)), updated_at=None)
        deps = OnDemandDeps(
            reader=self,
            upstreams={u.id: u for u in (OPENROUTER, REQUESTY)},
            calls={"openrouter": self.call, "requesty": self.call},
            parser=Parser(),
            secret=SecretStr("installation"),
            clock=self.clock,
        )
        self.source = OnDemandEndpoints(deps, ttl=TTL)

    def _state(self, upstream: Upstream) -> ProviderState:
        ids = [f"{upstream.id}/lab/model-{n}" for n in range(100)]
        models = {i: ModelFacts(id=i, provider_id=upstream.id, name=i) for i in ids}
        listing = Listing(provider_id=upstream.id, models=models, is_reference=True)
        health = Health(provider_id=upstream.id, status=HealthStatus.HEALTHY)
        now = self.clock.now()
        profile = upstream.profile(timedelta(minutes=10))
        return provider_state(profile, listing, health, as_of=now, confirmed=True, now=now)

    def stands(self, health: Health) -> None:
        self.snapshot = self.snapshot.with_provider(replace(self.snapshot.providers["openrouter"], health=health))

    async def call(self, url: str, headers: Mapping[str, str]) -> Response:
        self.urls.append(url)
        self.headers.append(headers)
        await self.go.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return Response(status=200, body=self.answer, headers={}, latency_ms=1.0)

    async def read(self, model_id: str = "openrouter/lab/model-1") -> EndpointList:
        (found,) = await self.source.endpoints([model_id])
        return found


async def test_endpoints_are_read_with_the_server_key_below_the_model_and_shown_with_their_age() -> None:
    world = World()
    found = await world.read()
    assert world.urls == ["https://openrouter.test/api/v1/models/lab/model-1/endpoints"]
    assert world.headers == [{"Authorization": f"Bearer {CANARY}"}]
    assert found.state is EndpointState.READY
    assert [e.name for e in found.items] == ["Alpha", "Beta"]
    assert found.as_of == world.clock.now()


async def test_a_thousand_readers_of_one_models_expired_endpoints_cause_one_call() -> None:
    world = World()
    await world.read()
    world.clock.advance(2 * TTL.total_seconds() + 1)
    found = await asyncio.gather(*(world.read() for _ in range(1_000)))
    assert {f.state for f in found} == {EndpointState.READY}
    assert len(world.urls) == 2


async def test_endpoints_past_their_lifetime_are_served_while_one_call_renews_them() -> None:
    world = World()
    first = await world.read()
    world.clock.advance(TTL.total_seconds() + 1)
    world.answer = body("Gamma")
    assert await asyncio.gather(*(world.read() for _ in range(3))) == [first] * 3
    await settle()
    assert [e.name for e in (await world.read()).items] == ["Gamma"]
    assert len(world.urls) == 2


async def test_a_provider_that_takes_its_time_is_pending_after_a_second_and_ready_for_the_next_reader() -> None:
    world = World()
    world.go.clear()
    reader = asyncio.create_task(world.read())
    await settle()
    world.clock.advance(1)
    assert await reader == EndpointList(state=EndpointState.PENDING)
    world.go.set()
    await settle()
    assert (await world.read()).state is EndpointState.READY
    assert len(world.urls) == 1


async def test_a_batch_waits_for_all_its_models_at_once_and_answers_in_their_order() -> None:
    world = World()
    world.go.clear()
    ids = [f"openrouter/lab/model-{n}" for n in range(20)]
    reader = asyncio.create_task(world.source.endpoints([*ids, "requesty/lab/model-1"]))
    await settle()
    assert len(world.urls) == 20
    world.clock.advance(1)
    assert [f.state for f in await reader] == [EndpointState.PENDING] * 20 + [EndpointState.UNSUPPORTED]


@pytest.mark.parametrize("model_id", ["requesty/lab/model-1", "openrouter/no/such", "stranger/model", "", "openrouter"])
async def test_no_call_goes_out_for_a_model_without_published_endpoints_or_of_unknown_name(model_id: str) -> None:
    world = World()
    assert await world.read(model_id) == EndpointList(state=EndpointState.UNSUPPORTED)
    assert not world.urls


async def test_a_failure_is_said_and_remembered_for_thirty_seconds() -> None:
    world = World()
    world.answer = Unreachable("The provider answered with status 500.")
    assert await world.read() == EndpointList(state=EndpointState.FAILED)
    world.clock.advance(29)
    await world.read()
    assert len(world.urls) == 1
    world.clock.advance(1)
    world.answer = body("Alpha")
    assert (await world.read()).state is EndpointState.READY


async def test_endpoints_once_read_outlive_a_failure() -> None:
    world = World()
    first = await world.read()
    world.clock.advance(TTL.total_seconds() + 1)
    world.answer = Rejected("No.")
    await world.read()
    await settle()
    assert await world.read() == first


@pytest.mark.parametrize("garbage", [b"<html>", b"[]", b"{", b" " * 262_145], ids=["html", "list", "cut", "huge"])
async def test_a_garbled_or_oversized_answer_is_a_failure(garbage: bytes) -> None:
    world = World()
    world.answer = garbage
    assert (await world.read()).state is EndpointState.FAILED


@pytest.mark.parametrize(("hosts", "beside"), [(2, False), (1_000, True)])
async def test_many_endpoints_are_read_beside_the_event_loop(
    monkeypatch: pytest.MonkeyPatch, *, hosts: int, beside: bool
) -> None:
    read_in: list[int] = []

    def parse(adapter: Adapter, body: bytes) -> tuple[Endpoint, ...]:
        read_in.append(threading.get_ident())
        return parse_endpoints(adapter, body)

    monkeypatch.setattr(endpoints, "parse_endpoints", parse)
    world = World()
    world.answer = body(*(f"Host {n}" for n in range(hosts)))
    found = await world.read()
    assert found.state is EndpointState.READY
    assert len(found.items) == min(hosts, 200)
    assert (read_in != [threading.get_ident()]) is beside


async def test_a_model_that_nobody_serves_is_ready_with_no_endpoints() -> None:
    world = World()
    world.answer = body()
    found = await world.read()
    assert (found.state, found.items) == (EndpointState.READY, ())


async def test_nothing_is_asked_of_a_provider_whose_breaker_is_open_and_what_is_known_is_shown() -> None:
    world = World()
    known = await world.read()
    world.stands(
        Health(
            provider_id="openrouter",
            status=HealthStatus.DOWN,
            breaker=BreakerState.OPEN,
        )
    )
    world.clock.advance(TTL.total_seconds() + 1)
    assert await world.read() == known
    assert (await world.read("openrouter/lab/model-2")).state is EndpointState.FAILED
    await settle()
    assert len(world.urls) == 1


async def test_endpoints_are_read_without_a_server_key_that_the_provider_refuses() -> None:
    world = World()
    at = world.clock.now()
    refused = Problem(code=ProviderErrorCode.UNAUTHORIZED, message="Refused.", retryable=False, at=at)
    world.stands(Health(provider_id="openrouter", status=HealthStatus.DEGRADED, problems=Problems(key=refused)))
    assert (await world.read()).state is EndpointState.READY
    assert world.headers == [{}]


async def test_reading_endpoints_changes_no_status() -> None:
    world = World()
    before = world.snapshot
    world.answer = Unreachable("Gone.")
    await world.read()
    assert world.snapshot is before


async def test_no_more_models_are_read_at_once_than_may_be_and_the_rest_is_pending_at_once() -> None:
    world = World()
    world.go.clear()
    reader = asyncio.create_task(world.source.endpoints([f"openrouter/lab/model-{n}" for n in range(40)]))
    await settle()
    assert len(world.urls) == 32
    world.clock.advance(1)
    assert {f.state for f in await reader} == {EndpointState.PENDING}


async def test_a_key_stands_in_nothing_that_is_kept() -> None:
    world = World()
    await world.read()
    world.answer = Unauthorized("The provider rejected the key, or requires one (status 401).")
    await world.read("openrouter/lab/model-2")
    (cache, *_) = world.source._caches.values()
    assert CANARY not in repr(vars(cache._storage._kept))


async def test_closing_ends_what_is_under_way() -> None:
    world = World()
    world.go.clear()
    reader = asyncio.create_task(world.read())
    await settle()
    await world.source.close()
    assert (await reader).state is EndpointState.PENDING


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded lists are not part of the repository")
async def test_recorded_endpoints_are_read_each_once() -> None:
    world = World()
    world.answer = RECORDED.read_bytes()
    found = await world.read()
    names = [e.name for e in found.items]
    assert len(names) == len(set(names)) == len(json.loads(world.answer)["data"]["endpoints"])

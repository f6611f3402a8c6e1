"""What is read on demand, over real sockets: the practice upstream counts the calls."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from pydantic import SecretStr

from catalogue.facts import ModelFacts
from catalogue.health import Health
from catalogue.listing import Listing
from catalogue.provider import ProviderState, provider_state
from catalogue.snapshot import snapshot_of
from catalogue.vocabulary import EndpointState, KeyCheckOutcome, ProviderErrorCode
from polling.callers import OwnLists
from polling.clock import SystemClock
from polling.deps import OnDemandDeps
from polling.endpoints import OnDemandEndpoints
from providers import openai_compatible, openrouter
from tests.practice.rows import openai_row, openrouter_row
from tests.practice.upstream import PracticeUpstream
from upstream.call_rate import Priority
from upstream.calls import CallPolicy, Calls
from upstream.http import session
from upstream.parsing import Parser
from upstream.upstream import Upstream

GOOD, BAD = SecretStr("sk-canary-good-0001"), SecretStr("sk-canary-bad-00001")


class World:
    """OpenRouter and an OpenAI-compatible server, and what reads them on demand."""

    def __init__(self, practice: PracticeUpstream, upstreams: dict[str, Upstream], calls: dict[str, Calls]) -> None:
        self.practice = practice
        self.snapshot = snapshot_of((_state(u) for u in upstreams.values()), updated_at=None)
        demand = {id_: c.at(CallPolicy(priority=Priority.DEMAND, budget=10.0, retries=0)) for id_, c in calls.items()}
        secret, clock = SecretStr("installation"), SystemClock()
        deps = OnDemandDeps(reader=self, upstreams=upstreams, calls=demand, parser=Parser(), secret=secret, clock=clock)
        self.endpoints = OnDemandEndpoints(deps, wait=20.0)
        self.lists = OwnLists(deps, wait=20.0)


def _state(upstream: Upstream) -> ProviderState:
    id_ = f"{upstream.id}/acme/sage"
    models = {id_: ModelFacts(id=id_, provider_id=upstream.id, name="Sage")}
    return provider_state(
        upstream.profile(timedelta(minutes=10)),
        Listing(provider_id=upstream.id, models=models),
        Health(provider_id=upstream.id),
        now=SystemClock().now(),
    )


@pytest.fixture
async def world() -> AsyncIterator[World]:
    adapters = {"openrouter": openrouter.ADAPTER, "gateway": openai_compatible.ADAPTER}
    async with PracticeUpstream() as practice, session() as http:
        upstreams = {
            id_: Upstream(id=id_, name=id_.title(), adapter=adapter, base_url=practice.base_url(id_))
            for id_, adapter in adapters.items()
        }
        calls = {id_: Calls(upstream=u, session=http, clock=SystemClock()) for id_, u in upstreams.items()}
        practice.set_list("openrouter", [openrouter_row("acme/sage"), openrouter_row("acme/owl")])
        practice.set_keys("openrouter", {GOOD.get_secret_value(): [openrouter_row("acme/mine")]})
        practice.set_keys("gateway", {GOOD.get_secret_value(): [openai_row("gateway-mine")]}, required=True)
        world = World(practice, upstreams, calls)
        yield world
        await world.endpoints.close()
        await world.lists.close()
        for one in calls.values():
            await one.close()


async def test_a_thousand_readers_of_one_models_endpoints_cause_one_request(world: World) -> None:
    found = await asyncio.gather(*(world.endpoints.endpoints(["openrouter/acme/sage"]) for _ in range(1_000)))
    assert {one.state for (one,) in found} == {EndpointState.READY}
    assert len(world.practice.seen("openrouter", "/endpoints")) == 1


async def test_a_key_sees_its_own_lists_and_a_bad_one_the_public_rows_with_the_reason(world: World) -> None:
    good = await world.lists.overlay(world.snapshot, {"openrouter": GOOD, "gateway": GOOD})
    bad = await world.lists.overlay(world.snapshot, {"openrouter": BAD, "gateway": BAD})
    assert good.own == ("openrouter", "gateway")
    assert good.snapshot.model("openrouter/acme/mine") is not None
    assert good.snapshot.model("gateway/gateway-mine") is not None
    assert bad.own == ()
    for state in bad.snapshot.providers.values():
        assert state.health.error is not None
        assert state.health.error.code is ProviderErrorCode.UNAUTHORIZED
        assert f"{state.id}/acme/sage" in state.listing.models


async def test_keys_are_checked_where_the_provider_checks_them(world: World) -> None:
    checks = [await world.lists.check(id_, key) for id_ in ("openrouter", "gateway") for key in (GOOD, BAD)]
    assert [check.outcome for check in checks] == [KeyCheckOutcome.VALID, KeyCheckOutcome.INVALID] * 2
    assert [check.model_count for check in checks] == [None, None, 1, None]

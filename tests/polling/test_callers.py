"""Callers' own lists: the truth for that caller, for nobody else, bounded in wait, number and lifetime."""

import asyncio
from dataclasses import replace

import pytest
from pydantic import SecretStr

from catalogue.health import Health, Problem, Problems
from catalogue.ports.on_demand import Overlay
from catalogue.vocabulary import (
    BreakerState,
    HealthStatus,
    KeyCheckOutcome,
    KeySource,
    ModelStatus,
    ProviderErrorCode,
)
from tests.polling.callers_world import KEY, OTHER, PUBLIC, World, ids
from tests.polling.still_clock import settle
from upstream.errors import Malformed, Unreachable

DOWN = Health(provider_id="openrouter", status=HealthStatus.DOWN, breaker=BreakerState.OPEN)


async def test_a_callers_list_replaces_the_servers_for_that_caller_alone() -> None:
    world = World()
    world.listed[KEY] = ["lab/common", "lab/mine"]
    public = world.snapshot
    seen = await world.see(openrouter=KEY)
    assert (seen.own, seen.waited) == (("openrouter",), True)
    assert ids(seen) == ["lab/common", "lab/mine"]
    assert ids(seen, "gateway") == list(PUBLIC)
    assert seen.snapshot.providers["openrouter"].profile.key_source is KeySource.USER
    assert seen.snapshot.revision.number == public.revision.number
    assert world.snapshot is public


async def test_keys_for_two_providers_are_read_at_once_and_a_key_goes_to_its_own_provider_only() -> None:
    world = World()
    world.listed.update({KEY: ["lab/mine"], OTHER: ["lab/hers"]})
    seen = await world.see(openrouter=KEY, gateway=OTHER)
    assert seen.own == ("openrouter", "gateway")
    assert (ids(seen), ids(seen, "gateway")) == (["lab/mine"], ["lab/hers"])
    assert {(url.split("/")[2], headers["Authorization"]) for url, headers in world.asked} == {
        ("openrouter.test", f"Bearer {KEY}"),
        ("gateway.test", f"Bearer {OTHER}"),
    }


async def test_a_list_that_is_there_is_served_without_a_call_or_a_wait() -> None:
    world = World()
    world.listed[KEY] = ["lab/mine"]
    await world.see(openrouter=KEY)
    seen = await world.see(openrouter=KEY)
    assert (seen.own, seen.waited, len(world.asked)) == (("openrouter",), False, 1)


async def test_a_list_is_judged_once_for_each_state_of_its_provider() -> None:
    world = World()
    world.listed[KEY] = ["lab/mine"]
    first, second = await world.see(openrouter=KEY), await world.see(openrouter=KEY)
    assert second.snapshot.providers["openrouter"] is first.snapshot.providers["openrouter"]


async def test_a_hundred_first_requests_with_one_key_cause_one_call() -> None:
    world = World()
    world.listed[KEY] = ["lab/mine"]
    seen = await asyncio.gather(*(world.see(openrouter=KEY) for _ in range(100)))
    assert all(one.own == ("openrouter",) for one in seen)
    assert len(world.asked) == 1


async def test_a_list_equal_to_the_public_one_still_counts_as_the_callers_own() -> None:
    world = World()
    world.listed[KEY] = PUBLIC
    seen = await world.see(openrouter=KEY)
    assert (seen.own, ids(seen)) == (("openrouter",), list(PUBLIC))


async def test_an_empty_list_is_the_truth_for_its_key() -> None:
    world = World()
    world.listed[KEY] = []
    seen = await world.see(openrouter=KEY)
    assert (seen.own, ids(seen)) == (("openrouter",), [])


async def test_a_first_request_waits_two_seconds_at_most_and_shows_the_public_rows_until_the_list_is_there() -> None:
    world = World()
    world.listed[KEY] = ["lab/mine"]
    world.go.clear()
    reader = asyncio.create_task(world.see(openrouter=KEY))
    await settle()
    world.clock.advance(1.9)
    await settle()
    assert not reader.done()
    world.clock.advance(0.1)
    early = await reader
    assert (early.own, early.waited, ids(early)) == ((), True, list(PUBLIC))
    world.go.set()
    await settle()
    assert (await world.see(openrouter=KEY)).own == ("openrouter",)
    assert len(world.asked) == 1


@pytest.mark.parametrize("error", [Unreachable("Status 500."), Malformed("No list.")])
async def test_the_public_rows_stay_when_the_list_cannot_be_read_and_it_is_tried_again_later(
    error: Unreachable | Malformed,
) -> None:
    world = World()
    world.listed[KEY] = error
    seen = await world.see(openrouter=KEY)
    assert (seen.own, ids(seen)) == ((), list(PUBLIC))
    assert seen.snapshot.providers["openrouter"].health.error is None
    world.listed[KEY] = ["lab/mine"]
    await world.see(openrouter=KEY)
    assert len(world.asked) == 1
    world.clock.advance(10)
    assert (await world.see(openrouter=KEY)).own == ("openrouter",)


async def test_a_bad_key_is_said_to_its_caller_with_the_remedy_and_moves_no_health() -> None:
    world = World()
    seen = await world.see(openrouter=KEY)
    state = seen.snapshot.providers["openrouter"]
    assert state.health.error is not None
    assert state.health.error.code is ProviderErrorCode.UNAUTHORIZED
    assert "Replace the key" in state.health.error.message
    assert state.health.status is HealthStatus.HEALTHY
    assert (seen.own, ids(seen)) == ((), list(PUBLIC))
    assert state.statuses is world.snapshot.providers["openrouter"].statuses
    assert world.snapshot.providers["openrouter"].health.error is None


async def test_a_bad_key_is_not_tried_again_for_a_minute() -> None:
    world = World()
    await world.see(gateway=KEY)
    world.clock.advance(59)
    await world.see(gateway=KEY)
    assert len(world.asked) == 1
    world.clock.advance(1)
    world.listed[KEY] = ["lab/mine"]
    assert (await world.see(gateway=KEY)).own == ("gateway",)


async def test_a_bad_key_is_found_out_at_a_provider_that_shows_its_list_to_anyone() -> None:
    world = World()
    world.open_lists = True
    seen = await world.see(openrouter=KEY)
    error = seen.snapshot.providers["openrouter"].health.error
    assert error is not None
    assert (seen.own, error.code) == ((), ProviderErrorCode.UNAUTHORIZED)


async def test_a_check_that_is_out_of_order_takes_no_list_from_its_caller() -> None:
    world = World()
    world.check = Unreachable("Status 500.")
    world.listed[KEY] = ["lab/mine"]
    assert (await world.see(openrouter=KEY)).own == ("openrouter",)


async def test_a_callers_models_are_judged_by_how_the_provider_stands() -> None:
    world = World()
    world.listed[KEY] = ["lab/mine"]
    await world.see(openrouter=KEY)
    at = world.clock.now()
    trouble = Problem(code=ProviderErrorCode.TIMEOUT, message="No answer.", retryable=True, at=at)
    world.stands("openrouter", replace(DOWN, problems=Problems(call=trouble)))
    seen = await world.see(openrouter=KEY)
    view = seen.snapshot.model("openrouter/lab/mine")
    assert view is not None
    assert (view.status, view.provider_health) == (ModelStatus.UNAVAILABLE, HealthStatus.DOWN)


async def test_what_is_wrong_with_the_servers_key_is_not_held_against_a_callers() -> None:
    world = World()
    world.listed[KEY] = ["lab/mine"]
    refused = Problem(code=ProviderErrorCode.UNAUTHORIZED, message="Refused.", retryable=False, at=world.clock.now())
    world.stands(
        "openrouter", Health(provider_id="openrouter", status=HealthStatus.DEGRADED, problems=Problems(key=refused))
    )
    seen = await world.see(openrouter=KEY)
    state = seen.snapshot.providers["openrouter"]
    assert (state.health.status, state.health.error) == (HealthStatus.HEALTHY, None)
    assert state.statuses.of("openrouter/lab/mine").status is ModelStatus.AVAILABLE


async def test_nothing_is_asked_of_a_provider_whose_breaker_is_open_and_nobody_waits_for_it() -> None:
    world = World()
    world.stands("openrouter", DOWN)
    seen = await world.see(openrouter=KEY)
    assert (seen.own, seen.waited, ids(seen), world.asked) == ((), False, list(PUBLIC), [])
    check = await world.lists.check("openrouter", SecretStr(KEY))
    assert (check.outcome, world.asked, world.checked) == (KeyCheckOutcome.UNREACHABLE, [], [])


async def test_a_key_for_a_provider_that_is_not_there_is_left_alone() -> None:
    world = World()
    seen = await world.see(stranger=KEY)
    assert seen == Overlay(snapshot=world.snapshot)

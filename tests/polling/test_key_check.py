"""Trying a caller's key."""

import asyncio
from dataclasses import replace

import pytest
from pydantic import SecretStr

from catalogue.errors import UnknownProvider
from catalogue.vocabulary import (
    KeyCheckOutcome,
)
from tests.polling.callers_world import GATEWAY, KEY, OTHER, World
from tests.polling.still_clock import settle
from upstream.errors import Unreachable


async def test_a_key_is_tried_at_the_providers_own_check() -> None:
    world = World()
    world.listed[KEY] = ["lab/mine"]
    good = await world.lists.check("openrouter", SecretStr(KEY))
    bad = await world.lists.check("openrouter", SecretStr(OTHER))
    assert (good.outcome, good.model_count) == (KeyCheckOutcome.VALID, None)
    assert bad.outcome is KeyCheckOutcome.INVALID
    assert (set(world.checked), world.asked) == ({"https://openrouter.test/api/v1/key"}, [])


async def test_where_there_is_no_check_the_list_tells_and_its_models_are_counted() -> None:
    world = World(replace(GATEWAY, key=SecretStr("sk-server-0001")))
    world.listed[KEY] = ["lab/mine", "lab/common"]
    good = await world.lists.check("gateway", SecretStr(KEY))
    bad = await world.lists.check("gateway", SecretStr(OTHER))
    assert (good.outcome, good.model_count) == (KeyCheckOutcome.VALID, 2)
    assert bad.outcome is KeyCheckOutcome.INVALID


async def test_a_list_that_needs_no_key_proves_nothing_of_one() -> None:
    world = World()
    world.listed[KEY] = ["lab/mine"]
    check = await world.lists.check("gateway", SecretStr(KEY))
    assert (check.outcome, check.model_count) == (KeyCheckOutcome.UNSUPPORTED, 1)


async def test_a_check_that_fails_by_the_providers_fault_says_so() -> None:
    world = World()
    world.check = Unreachable("The provider answered with status 500.")
    world.listed[KEY] = ["lab/mine"]
    check = await world.lists.check("openrouter", SecretStr(KEY))
    assert (check.outcome, check.message) == (
        KeyCheckOutcome.UNREACHABLE,
        "The provider answered with status 500.",
    )


async def test_a_check_takes_five_seconds_at_most() -> None:
    world = World()
    world.go.clear()
    check = asyncio.create_task(world.lists.check("openrouter", SecretStr(KEY)))
    await settle()
    world.clock.advance(5)
    assert (await check).outcome is KeyCheckOutcome.UNREACHABLE


async def test_one_key_is_tried_once_in_ten_seconds() -> None:
    world = World()
    world.listed[KEY] = ["lab/mine"]
    for _ in range(5):
        await world.lists.check("openrouter", SecretStr(KEY))
    assert len(world.checked) == 1
    world.clock.advance(10)
    await world.lists.check("openrouter", SecretStr(KEY))
    assert len(world.checked) == 2


async def test_a_check_for_an_unknown_provider_names_the_known_ones() -> None:
    world = World()
    with pytest.raises(UnknownProvider, match="gateway, openrouter"):
        await world.lists.check("stranger", SecretStr(KEY))

"""How much callers' own lists may take of a provider, of memory and of the server's end."""

import asyncio
from dataclasses import replace

from providers._kit.adapter import CallLimits
from tests.polling.callers_world import GATEWAY, KEY, OTHER, TTL, World
from tests.polling.still_clock import settle


async def test_callers_use_half_of_the_providers_allowance_so_that_the_server_can_poll() -> None:
    tight = replace(GATEWAY, calls=CallLimits(requests_per_minute=20, burst=6))
    world = World(tight)
    keys = [f"sk-canary-{n:05}" for n in range(4)]
    world.listed.update({key: ["lab/mine"] for key in keys})
    readers = [asyncio.create_task(world.see(gateway=key)) for key in keys]
    await settle()
    assert len(world.asked) == 3
    world.clock.advance(2)
    seen = await asyncio.gather(*readers)
    assert sum(bool(one.own) for one in seen) == 3
    for _ in range(58):
        world.clock.advance(1)
        await settle()
    assert len(world.asked) == 4


async def test_no_more_lists_are_read_at_once_than_may_be_and_others_go_without_instead_of_waiting() -> None:
    world = World()
    world.go.clear()
    readers = [asyncio.create_task(world.see(gateway=f"sk-canary-{n:05}")) for n in range(20)]
    await settle()
    assert len(world.asked) == 4
    assert sum(reader.done() for reader in readers) == 16
    world.clock.advance(2)
    assert not any(one.own for one in await asyncio.gather(*readers))


async def test_keys_that_never_read_a_list_crowd_out_none_that_did() -> None:
    world = World()
    world.listed[KEY] = ["lab/mine"]
    await world.see(gateway=KEY)
    world.clock.advance(TTL.total_seconds())
    world.go.clear()
    trying = [asyncio.create_task(world.see(gateway=f"sk-canary-{n:05}")) for n in range(20)]
    await settle()
    reader = asyncio.create_task(world.see(gateway=KEY))
    await settle()
    world.go.set()
    assert (await reader).own == ("gateway",)
    await asyncio.gather(*trying)


async def test_the_number_of_kept_lists_is_bounded_and_the_least_used_goes_first() -> None:
    world = World(entries=2)
    for key in (KEY, OTHER, "sk-third-0000001"):
        world.listed[key] = ["lab/mine"]
        await world.see(openrouter=key)
    assert len(world.asked) == 3
    await world.see(openrouter=OTHER)
    assert len(world.asked) == 3
    await world.see(openrouter=KEY)
    assert len(world.asked) == 4


async def test_closing_ends_what_is_under_way() -> None:
    world = World()
    world.go.clear()
    reader = asyncio.create_task(world.see(openrouter=KEY))
    await settle()
    await world.lists.close()
    assert (await reader).own == ()

"""How long callers' own lists stand, how they are renewed, and what they share with the public ones."""

from tests.polling.callers_world import KEY, PUBLIC, TTL, World, facts, ids
from tests.polling.still_clock import settle
from upstream.errors import Unauthorized, Unreachable


async def test_a_list_is_renewed_behind_its_reader_before_its_lifetime_ends() -> None:
    world = World()
    world.listed[KEY] = ["lab/mine"]
    await world.see(openrouter=KEY)
    world.clock.advance(TTL.total_seconds() * 0.8)
    world.listed[KEY] = ["lab/new"]
    seen = await world.see(openrouter=KEY)
    assert (seen.waited, ids(seen)) == (False, ["lab/mine"])
    await settle()
    assert ids(await world.see(openrouter=KEY)) == ["lab/new"]
    assert len(world.asked) == 2


async def test_a_list_past_its_lifetime_is_not_served_even_when_it_cannot_be_renewed() -> None:
    world = World()
    world.listed[KEY] = ["lab/mine"]
    await world.see(openrouter=KEY)
    world.clock.advance(TTL.total_seconds())
    world.listed[KEY] = Unreachable("Status 500.")
    seen = await world.see(openrouter=KEY)
    assert (seen.own, ids(seen)) == ((), list(PUBLIC))


async def test_a_key_that_is_revoked_loses_its_list_when_that_is_renewed() -> None:
    world = World()
    world.listed[KEY] = ["lab/mine"]
    await world.see(openrouter=KEY)
    world.clock.advance(TTL.total_seconds() * 0.8)
    world.listed[KEY] = Unauthorized("Revoked.")
    await world.see(openrouter=KEY)
    await settle()
    assert (await world.see(openrouter=KEY)).own == ()


async def test_an_unchanged_list_is_confirmed_by_its_validators_for_another_lifetime() -> None:
    world = World()
    world.etags = True
    world.listed[KEY] = ["lab/mine"]
    first = await world.see(openrouter=KEY)
    world.clock.advance(TTL.total_seconds() * 0.8)
    await world.see(openrouter=KEY)
    await settle()
    world.clock.advance(TTL.total_seconds() * 0.5)
    seen = await world.see(openrouter=KEY)
    assert seen.own == ("openrouter",)
    assert facts(seen, "lab/mine") is facts(first, "lab/mine")
    assert "If-None-Match" in world.asked[1][1]


async def test_rows_equal_to_public_ones_share_their_records_and_the_time_they_were_first_seen() -> None:
    world = World()
    world.listed[KEY] = ["lab/common", "lab/mine"]
    seen = await world.see(openrouter=KEY)
    public = world.snapshot.providers["openrouter"].listing
    assert facts(seen, "lab/common") is public.models["openrouter/lab/common"]
    first_seen = seen.snapshot.providers["openrouter"].listing.first_seen
    assert first_seen["openrouter/lab/common"] == public.first_seen["openrouter/lab/common"]
    assert "openrouter/lab/mine" not in first_seen, "nobody knows since when it was there"


async def test_a_model_of_the_callers_alone_keeps_the_time_it_was_first_seen() -> None:
    world, began = World(), None
    world.listed[KEY] = ["lab/mine"]
    await world.see(openrouter=KEY)
    for names in (["lab/mine", "lab/newer"], ["lab/mine", "lab/newer", "lab/newest"]):
        world.clock.advance(TTL.total_seconds() * 0.8)
        began = began or world.clock.now()
        world.listed[KEY] = names
        await world.see(openrouter=KEY)
        await settle()
    seen = await world.see(openrouter=KEY)
    assert seen.snapshot.providers["openrouter"].listing.first_seen["openrouter/lab/newer"] == began

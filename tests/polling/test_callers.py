"""Callers' own lists: the truth for that caller, for nobody else, bounded in wait, number and lifetime."""

import asyncio
import gc
from asyncio import AbstractEventLoop
from collections.abc import Iterator
from dataclasses import replace
from types import FunctionType, ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from catalogue.errors import UnknownProvider
from catalogue.health import Problem, Standing
from catalogue.ports import Overlay
from catalogue.vocabulary import (
    BreakerState,
    HealthStatus,
    KeyCheckOutcome,
    KeySource,
    ModelStatus,
    ProviderErrorCode,
)
from providers._kit.adapter import CallLimits
from providers._kit.errors import Malformed, Unauthorized, Unreachable
from tests.polling.callers_world import GATEWAY, PUBLIC, TTL, World, facts, ids
from tests.polling.still_clock import settle

KEY, OTHER = "sk-canary-alice-0001", "sk-canary-bob-00002"
DOWN = Standing(provider_id="openrouter", status=HealthStatus.DOWN, breaker=BreakerState.OPEN)


async def test_a_callers_list_replaces_the_servers_for_that_caller_alone() -> None:
    world = World()
    world.listed[KEY] = ["lab/common", "lab/mine"]
    public = world.snapshot
    seen = await world.see(openrouter=KEY)
    assert (seen.own, seen.waited) == (("openrouter",), True)
    assert ids(seen) == ["lab/common", "lab/mine"]
    assert ids(seen, "gateway") == list(PUBLIC)
    assert seen.snapshot.providers["openrouter"].profile.key_source is KeySource.USER
    assert seen.snapshot.revision == public.revision
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
    assert seen.snapshot.providers["openrouter"].standing.error is None
    world.listed[KEY] = ["lab/mine"]
    await world.see(openrouter=KEY)
    assert len(world.asked) == 1
    world.clock.advance(10)
    assert (await world.see(openrouter=KEY)).own == ("openrouter",)


async def test_a_bad_key_is_said_to_its_caller_with_the_remedy_and_moves_no_health() -> None:
    world = World()
    seen = await world.see(openrouter=KEY)
    state = seen.snapshot.providers["openrouter"]
    assert state.standing.error is not None
    assert state.standing.error.code is ProviderErrorCode.UNAUTHORIZED
    assert "Replace the key" in state.standing.error.message
    assert state.standing.status is HealthStatus.HEALTHY
    assert (seen.own, ids(seen)) == ((), list(PUBLIC))
    assert state.verdicts == world.snapshot.providers["openrouter"].verdicts
    assert world.snapshot.providers["openrouter"].standing.error is None


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
    error = seen.snapshot.providers["openrouter"].standing.error
    assert error is not None
    assert (seen.own, error.code) == ((), ProviderErrorCode.UNAUTHORIZED)


async def test_a_check_that_is_out_of_order_takes_no_list_from_its_caller() -> None:
    world = World()
    world.check = Unreachable("Status 500.")
    world.listed[KEY] = ["lab/mine"]
    assert (await world.see(openrouter=KEY)).own == ("openrouter",)


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
    assert first_seen["openrouter/lab/mine"] == world.clock.now()


async def test_a_model_of_the_callers_alone_keeps_the_time_it_was_first_seen() -> None:
    world = World()
    world.listed[KEY] = ["lab/mine"]
    began = world.clock.now()
    await world.see(openrouter=KEY)
    world.clock.advance(TTL.total_seconds() * 0.8)
    world.listed[KEY] = ["lab/mine", "lab/newer"]
    await world.see(openrouter=KEY)
    await settle()
    seen = await world.see(openrouter=KEY)
    assert seen.snapshot.providers["openrouter"].listing.first_seen["openrouter/lab/mine"] == began


async def test_a_callers_models_are_judged_by_how_the_provider_stands() -> None:
    world = World()
    world.listed[KEY] = ["lab/mine"]
    await world.see(openrouter=KEY)
    at = world.clock.now()
    trouble = Problem(code=ProviderErrorCode.TIMEOUT, message="No answer.", retryable=True, at=at)
    world.stands("openrouter", replace(DOWN, error=trouble))
    seen = await world.see(openrouter=KEY)
    view = seen.snapshot.model("openrouter/lab/mine")
    assert view is not None
    assert (view.status, view.provider_health) == (ModelStatus.UNAVAILABLE, HealthStatus.DOWN)


async def test_what_is_wrong_with_the_servers_key_is_not_held_against_a_callers() -> None:
    world = World()
    world.listed[KEY] = ["lab/mine"]
    refused = Problem(code=ProviderErrorCode.UNAUTHORIZED, message="Refused.", retryable=False, at=world.clock.now())
    world.stands("openrouter", Standing(provider_id="openrouter", status=HealthStatus.DEGRADED, error=refused))
    seen = await world.see(openrouter=KEY)
    state = seen.snapshot.providers["openrouter"]
    assert (state.standing.status, state.standing.error) == (HealthStatus.HEALTHY, None)
    assert state.verdict("openrouter/lab/mine").status is ModelStatus.AVAILABLE


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


def reachable(*roots: object) -> Iterator[object]:
    """Everything that some objects hold on to; code and the event loop hold on to the whole test and are left out."""
    held, seen = list(roots), set[int]()
    while held:
        thing = held.pop()
        if id(thing) not in seen and not isinstance(thing, type | ModuleType | FunctionType | AbstractEventLoop):
            seen.add(id(thing))
            held.extend(gc.get_referents(thing))
            yield thing


async def test_no_key_stays_in_memory_in_clear_once_its_flight_has_landed(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the outcome: nothing that the lists hold on to, show or log spells the key."""
    world = World()
    caplog.set_level(0)
    world.listed[KEY] = ["lab/mine"]
    await world.see(openrouter=KEY)
    await world.see(openrouter=OTHER, gateway=OTHER)
    await world.lists.check("openrouter", SecretStr(KEY))
    await world.lists.check("gateway", SecretStr(OTHER))
    world.asked.clear()
    world.listed.clear()
    gc.collect()
    for thing in reachable(*world.lists._lists.values(), *world.lists._checks.values()):
        assert "canary" not in (thing if isinstance(thing, str) else "")
    assert "canary" not in caplog.text


OPENERS = st.sampled_from(["alice", "bob", "carol"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("see"), st.lists(OPENERS, min_size=1, max_size=6)),
        st.tuples(st.just("wait"), st.sampled_from([1, 11, 61, 300, 480, 599, 601, 1_300])),
        st.tuples(st.sampled_from(["hold", "release"]), st.none()),
        st.tuples(st.sampled_from(["revoke", "restore", "break_off", "grow"]), OPENERS),
    ),
    max_size=25,
)


@settings(max_examples=300, deadline=None)
@given(steps=STEPS, entries=st.sampled_from([1, 2, 64]))
def test_callers_with_different_keys_never_see_each_others_rows(steps: list[tuple[str, Any]], entries: int) -> None:
    """Together or apart, before and after expiry, held up, revoked, broken or crowded out."""

    async def play() -> None:
        act = Play(entries)
        for name, argument in steps:
            await getattr(act, name)(argument)
        await act.world.lists.close()

    asyncio.run(play())


class Play:
    """Three callers and a provider to whom things happen."""

    def __init__(self, entries: int) -> None:
        self.world = World(entries=entries)
        self.rows = {name: [f"{name}/0"] for name in ("alice", "bob", "carol")}
        for name in self.rows:
            self._list(name)

    def _list(self, name: str) -> None:
        self.world.listed[f"sk-key-of-{name}"] = ["lab/common", *self.rows[name]]

    async def see(self, names: list[str]) -> None:
        tasks = [asyncio.create_task(self.world.see(openrouter=f"sk-key-of-{name}")) for name in names]
        await settle()
        self.world.clock.advance(2)
        for name, seen in zip(names, await asyncio.gather(*tasks), strict=True):
            rows = ids(seen)
            own = len(rows) > 1 and rows == ["lab/common", *self.rows[name]][: len(rows)]
            assert own if seen.own else rows == list(PUBLIC)

    async def wait(self, seconds: int) -> None:
        self.world.clock.advance(seconds)
        await settle()

    async def hold(self, _: None) -> None:
        self.world.go.clear()

    async def release(self, _: None) -> None:
        self.world.go.set()
        await settle()

    async def revoke(self, name: str) -> None:
        self.world.listed[f"sk-key-of-{name}"] = Unauthorized("Revoked.")

    async def break_off(self, name: str) -> None:
        self.world.listed[f"sk-key-of-{name}"] = Unreachable("Status 500.")

    async def grow(self, name: str) -> None:
        self.rows[name].append(f"{name}/{len(self.rows[name])}")
        self._list(name)

    async def restore(self, name: str) -> None:
        self._list(name)


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

"""Nobody sees another caller's rows, and no key outlives its flight."""

import asyncio
import gc
from asyncio import AbstractEventLoop
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from tests.polling.callers_world import KEY, OTHER, PUBLIC, World, ids
from tests.polling.still_clock import settle
from upstream.errors import Unauthorized, Unreachable


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


@settings(max_examples=3 * settings().max_examples)
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

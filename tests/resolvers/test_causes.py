"""Why a status changed, as a subscriber is told it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.resolvers.running import LIST_TTL, Running, running, upstream
from tests.resolvers.world import facts

STATUS = "... on StatusChanged { model { id status } before after cause }"
STAYS = facts("alpha/stays")


async def unlisted(it: Running) -> None:
    await it.lists("alpha", [STAYS])


async def ended(it: Running) -> None:
    await it.waits(timedelta(minutes=6))


async def grown_old(it: Running) -> None:
    await it.waits(2 * LIST_TTL + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("happens", "concerned", "after", "cause"),
    [
        (unlisted, {"alpha/goes"}, "UNAVAILABLE", "LIST"),
        (lambda it: it.fails("alpha"), {"alpha/stays", "alpha/goes"}, "LIMITED", "HEALTH"),
        (ended, {"alpha/goes"}, "DEPRECATED", "ENDING"),
        (grown_old, {"alpha/stays"}, "LIMITED", "AGE"),
    ],
    ids=["LIST", "HEALTH", "ENDING", "AGE"],
)
async def test_a_change_of_status_names_its_cause(
    tmp_path: Path, happens: Callable[[Running], Awaitable[None]], concerned: set[str], after: str, cause: str
) -> None:
    async with running(tmp_path) as it:
        ends = facts("alpha/goes", expires_at=it.clock.now() + timedelta(minutes=5))
        await it.lists("alpha", [STAYS, ends])
        since = await it.cursor()
        await happens(it)
        changes = [change for change in await it.told(since, STATUS) if change]
        named = {change["model"]["id"]: change for change in changes}
        assert concerned <= named.keys()
        for id_ in concerned:
            assert named[id_] == {
                "model": {"id": id_, "status": after},
                "before": "AVAILABLE",
                "after": after,
                "cause": cause,
            }


async def test_the_cause_of_a_status_that_a_missing_key_brings_is_the_configuration(tmp_path: Path) -> None:
    async with running(tmp_path) as it:
        clock = it.clock
        await it.lists("alpha", [STAYS])
        await it.fails("alpha")
        since = await it.cursor()
    keyless = upstream("alpha", needs_key=True)
    async with running(tmp_path, keyless, clock=clock) as it:
        [change] = [change for change in await it.told(since, STATUS) if change]
    assert (change["before"], change["after"], change["cause"]) == ("LIMITED", "AVAILABLE", "CONFIGURATION")


async def test_a_cause_is_the_same_when_it_is_read_from_the_log(tmp_path: Path) -> None:
    async with running(tmp_path) as it:
        await it.lists("alpha", [STAYS])
        since = await it.cursor()
        await it.fails("alpha")
        told = await it.told(since, STATUS)
        it.run.feed._recent.clear()
        assert await it.told(since, STATUS) == told
        assert [change["cause"] for change in told if change] == ["HEALTH"]

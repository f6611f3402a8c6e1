"""Positions that still lead on: after the log was trimmed, and from changes that were read while the store failed."""

from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import pytest

from backends.sqlite import SqliteStore
from catalogue.ports.errors import StoreUnusable
from catalogue.ports.revisions import Commit
from tests.resolvers.running import running, upstream
from tests.resolvers.world import facts

MODELS = [facts(f"alpha/m{number}") for number in range(9)]


async def test_the_oldest_position_that_a_resync_names_can_be_followed(tmp_path: Path) -> None:
    async with running(tmp_path) as it:
        clock = it.clock
        await it.lists("alpha", MODELS[:1])
        since = await it.cursor()
        for count in range(2, 7):
            await it.lists("alpha", MODELS[:count])
    async with running(tmp_path, clock=clock, log_length=3) as it:
        await it.store.trim(clock.now())
        resync, *_ = await it.told(since, "kind ... on Resync { oldest }")
        assert resync["kind"] == "RESYNC"
        left = await it.told(resync["oldest"], "kind ... on ModelAdded { model { id } }")
    assert left == [{"kind": "MODEL_ADDED", "model": {"id": f"alpha/m{number}"}} for number in (3, 4, 5)]


async def test_the_oldest_position_of_an_empty_log_can_be_followed(tmp_path: Path) -> None:
    async with running(tmp_path) as it:
        clock = it.clock
        await it.lists("alpha", MODELS[:1])
        since = await it.cursor()
        await it.lists("alpha", MODELS[:2])
    async with running(tmp_path, clock=clock, log_length=0) as it:
        await it.store.trim(clock.now())
        [resync] = await it.told(since, "kind ... on Resync { oldest }")
        await it.lists("alpha", MODELS[:3])
        assert await it.told(resync["oldest"], "kind") == [{"kind": "MODEL_ADDED"}]


async def test_the_catalogues_cursor_is_that_of_its_last_change_also_after_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path) as it:
        await it.lists("alpha", MODELS[:1])
        since, clock = await it.cursor(), it.clock
        await it.lists("alpha", MODELS[:2])
        last = await it.cursor()
    async with running(tmp_path, clock=clock) as it:
        assert await it.cursor() == last
        assert [event["cursor"] for event in await it.told(since)] == [last]


def _broken(_: SqliteStore, __: object, ___: Commit) -> None:
    raise StoreUnusable("The folder cannot be written.")


@pytest.mark.parametrize("remembered", [True, False], ids=["from memory", "from the store"])
async def test_a_change_that_is_read_while_the_store_fails_has_a_cursor_that_resumes_later(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    remembered: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    async with running(tmp_path) as it:
        await it.lists("alpha", MODELS[:1])
        since = await it.cursor()
        await it.lists("alpha", MODELS[:2])
        await it.lists("alpha", MODELS[:3])
        if not remembered:
            it.run.feed._recent.clear()
        async with aclosing(it.events(since)) as stream:
            with monkeypatch.context() as failing:
                failing.setattr(SqliteStore, "_commit", _broken)
                await it.fails("alpha")
                unlogged = await it.cursor()
                read = [await anext(stream) for _ in range(2)]
            await it.run.ledger.evaluate()
            rest = [await anext(stream) for _ in range(4)]
        assert [event["kind"] for event in read + rest] == [
            *["MODEL_ADDED"] * 2,
            "PROVIDER_HEALTH_CHANGED",
            *["STATUS_CHANGED"] * 3,
        ]
        whole = read + rest
        for number, event in enumerate(whole[:-1], start=1):
            assert await it.told(event["cursor"]) == whole[number:]
        assert unlogged not in {event["cursor"] for event in whole}
        assert [event["kind"] for event in await it.told(unlogged)] == ["RESYNC"]


async def test_while_the_store_fails_a_revision_is_counted_only_for_what_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = "{ catalogue { revision lastUpdated cursor } }"
    async with running(tmp_path, upstream("alpha"), upstream("beta")) as it:
        await it.lists("alpha", MODELS[:1])
        await it.lists("beta", [])
        monkeypatch.setattr(SqliteStore, "_commit", _broken)
        well = await it.ask(query)
        await it.fails("alpha")
        ill = await it.ask(query)
        assert ill["catalogue"]["revision"] == well["catalogue"]["revision"] + 1
        for _ in range(3):
            await it.waits(timedelta(seconds=1))
            await it.answers("beta")
        assert await it.ask(query) == ill

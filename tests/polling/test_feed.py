"""The feed: whoever follows, leaves and comes back sees each change exactly once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from unittest.mock import AsyncMock

import pytest
from structlog.testing import capture_logs

from catalogue.change import EVERYTHING, Change, ChangeFilter, Resync
from catalogue.errors import BadUserInput
from catalogue.ports.errors import StoreUnusable
from catalogue.ports.revisions import Commit
from catalogue.position import Position
from tests.polling.one_provider import DOWN, World, listed, world
from tests.polling.still_clock import settle
from tests.turns import turns_beside


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        await made.refresh()
        yield made


def here(one: World) -> str:
    return one.snapshot.revision.position.cursor


async def take(stream: AsyncIterator[Change], count: int) -> list[Change]:
    return [await anext(stream) for _ in range(count)]


async def test_a_follower_sees_what_comes_after_it_joined(one: World) -> None:
    stream = one.feed.follow(None)
    first = asyncio.ensure_future(anext(stream))
    await settle()
    one.calls.list_answer = listed("a/one", "a/two", "a/three")
    await one.refresh()
    assert (await first).kind == "MODEL_ADDED"


async def test_a_follower_that_comes_back_sees_exactly_what_it_missed(one: World) -> None:
    since = here(one)
    for n in range(3):
        one.calls.list_answer = listed("a/one", "a/two", *(f"a/new{i}" for i in range(n + 1)))
        await one.refresh()
    missed = await take(one.feed.follow(since), 3)
    assert [c.model.facts.id for c in missed if c.kind == "MODEL_ADDED"] == [f"openrouter/a/new{i}" for i in range(3)]
    assert [c.position.seq for c in missed] == sorted({c.position.seq for c in missed})


async def test_what_memory_no_longer_holds_comes_from_the_store(one: World) -> None:
    since = here(one)
    one.calls.list_answer = listed("a/one", "a/two", "a/three")
    await one.refresh()
    one.feed._recent.clear()
    (change,) = await take(one.feed.follow(since), 1)
    assert change.kind == "MODEL_ADDED"


async def test_nothing_is_published_before_the_catalogue_has_it(one: World, monkeypatch: pytest.MonkeyPatch) -> None:
    since = one.snapshot.revision.position.seq
    one.calls.list_answer = listed("a/one", "a/two", "a/three")
    await one.refresh()
    one.feed._recent.clear()
    commit, early = one.store.commit, list[Change]()

    async def commit_and_look(commit_: Commit) -> None:
        await commit(commit_)
        early.extend((await one.feed._page(since, EVERYTHING)).changes)

    monkeypatch.setattr(one.store, "commit", commit_and_look)
    one.calls.list_answer = listed("a/one", "a/two", "a/three", "a/four")
    await one.refresh()
    assert [c.model.facts.id for c in early if c.kind == "MODEL_ADDED"] == ["openrouter/a/three"]


@pytest.mark.parametrize("position", [("ab" * 8, 0), (None, 10**6)])
async def test_a_cursor_of_another_log_or_from_the_future_gets_a_resync(
    one: World, position: tuple[str | None, int]
) -> None:
    epoch, seq = position
    here = one.snapshot.revision.position
    (change,) = await take(one.feed.follow(Position(epoch or here.epoch, seq).cursor), 1)
    assert isinstance(change, Resync)
    assert change.position == here


async def test_the_oldest_position_can_be_resumed_and_the_one_before_it_cannot(one: World) -> None:
    for n in range(4):
        one.calls.list_answer = listed("a/one", "a/two", *(f"a/new{i}" for i in range(n + 1)))
        await one.refresh()
    await one.store._run(lambda connection: connection.execute("DELETE FROM change WHERE seq < 4"))
    one.feed._recent.clear()
    oldest = await one.feed.oldest()
    (resumed,) = await take(one.feed.follow(oldest.cursor), 1)
    assert resumed.position == oldest.later(1)
    (refused,) = await take(one.feed.follow(oldest.later(-1).cursor), 1)
    assert refused.kind == "RESYNC"


@pytest.mark.parametrize("recent", [True, False], ids=["memory", "store"])
async def test_a_follower_with_a_filter_receives_what_passes_and_nothing_else(one: World, *, recent: bool) -> None:
    since = here(one)
    one.calls.list_answer = listed("a/one", "a/two", "a/three")
    await one.refresh()
    one.calls.list_answer = listed("a/one", "a/two", "a/three", prompt="0.000002")
    await one.refresh()
    if not recent:
        one.feed._recent.clear()
    wanted = ChangeFilter(kinds=frozenset({"PRICE_CHANGED"}), models=frozenset({"openrouter/a/two"}))
    stream = one.feed.follow(since, wanted)
    (change,) = await take(stream, 1)
    assert change.kind == "PRICE_CHANGED"
    assert change.model.facts.id == "openrouter/a/two"
    waiting = asyncio.ensure_future(anext(stream))
    await settle()
    assert not waiting.done()
    waiting.cancel()


async def test_one_that_began_while_the_store_failed_waits_for_it_and_then_reads_again(
    one: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, capture_logs():
        patch.setattr(one.store, "commit", AsyncMock(side_effect=StoreUnusable("full")))
        one.calls.list_answer = one.calls.check_answer = DOWN
        await one.refresh()
        stream = one.feed.follow(here(one))
        waiting = asyncio.ensure_future(anext(stream))
        await settle()
        assert not waiting.done()
    await one.ledger.evaluate()
    assert (await waiting).kind == "RESYNC"


async def test_one_that_began_before_the_store_failed_sees_each_change_once(
    one: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = here(one)
    with monkeypatch.context() as patch, capture_logs():
        patch.setattr(one.store, "commit", AsyncMock(side_effect=StoreUnusable("full")))
        one.calls.list_answer = one.calls.check_answer = DOWN
        await one.refresh()
    await one.ledger.evaluate()
    kinds = [c.kind for c in await take(one.feed.follow(since), 3)]
    assert kinds == ["PROVIDER_HEALTH_CHANGED", "STATUS_CHANGED", "STATUS_CHANGED"]


async def test_an_unreadable_cursor_is_refused(one: World) -> None:
    with pytest.raises(BadUserInput):
        await take(one.feed.follow("garbage!"), 1)


async def test_closing_the_feed_ends_every_stream(one: World) -> None:
    waiting = asyncio.ensure_future(anext(one.feed.follow(None), None))
    await settle()
    one.feed.close()
    assert await waiting is None


async def test_a_change_is_stored_before_any_follower_sees_it(one: World) -> None:
    stream = one.feed.follow(None)
    first = asyncio.ensure_future(anext(stream))
    await settle()
    one.calls.list_answer = listed("a/one", "a/two", "a/three")
    await one.refresh()
    change = await first
    page = await one.store.read(change.position.seq - 1, 1, EVERYTHING)
    assert page.changes[0] == change


async def test_a_store_that_fails_leaves_the_old_snapshot_and_the_next_refresh_heals(
    one: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(_: object) -> None:
        raise OSError

    before = one.snapshot
    one.calls.list_answer = listed("a/one", "a/two", "a/three")
    with monkeypatch.context() as disk:
        disk.setattr(one.store, "commit", full)
        await one.refresh()
    assert one.snapshot.revision is before.revision
    await one.refresh()
    assert one.snapshot.model("openrouter/a/three") is not None


async def test_followers_that_one_change_wakes_take_turns(one: World) -> None:
    followers = [asyncio.ensure_future(anext(one.feed.follow(None))) for _ in range(50)]
    await settle()
    with turns_beside() as turns:
        one.calls.list_answer = listed("a/one", "a/two", "a/three")
        one.ledger.listen(lambda _, __: setattr(turns, "taken", 0))
        await one.refresh()
        await asyncio.gather(*followers)
    assert turns.taken >= len(followers)

"""The feed: whoever follows, leaves and comes back sees each change exactly once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from catalogue import cursor
from catalogue.change import Change, Resync
from catalogue.errors import BadUserInput
from catalogue.snapshot import Snapshot
from tests.polling.one_provider import World, listed, world
from tests.polling.still_clock import settle
from tests.turns import turns_beside


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        await made.refresh()
        yield made


def here(one: World) -> str:
    return cursor.encode(one.ledger.snapshot.epoch, one.ledger.snapshot.seq)


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
    assert [c.seq for c in missed] == sorted({c.seq for c in missed})


async def test_what_memory_no_longer_holds_comes_from_the_store(one: World) -> None:
    since = here(one)
    one.calls.list_answer = listed("a/one", "a/two", "a/three")
    await one.refresh()
    one.feed._recent.clear()
    (change,) = await take(one.feed.follow(since), 1)
    assert change.kind == "MODEL_ADDED"


async def test_nothing_is_told_before_the_catalogue_has_it(one: World, monkeypatch: pytest.MonkeyPatch) -> None:
    since = here(one)
    one.calls.list_answer = listed("a/one", "a/two", "a/three")
    await one.refresh()
    one.feed._recent.clear()
    serve, early = one.ledger._serve, list[Change]()

    async def serve_late(snapshot: Snapshot) -> None:
        early.extend((await one.feed._after(cursor.decode(since)[1]))[0])
        await serve(snapshot)

    monkeypatch.setattr(one.ledger, "_serve", serve_late)
    one.calls.list_answer = listed("a/one", "a/two", "a/three", "a/four")
    await one.refresh()
    assert [c.model.facts.id for c in early if c.kind == "MODEL_ADDED"] == ["openrouter/a/three"]


@pytest.mark.parametrize("epoch_and_seq", [("ab" * 8, 0), (None, 10**6)])
async def test_a_cursor_of_another_log_or_from_the_future_gets_a_resync(
    one: World, epoch_and_seq: tuple[str | None, int]
) -> None:
    epoch, seq = epoch_and_seq
    (change,) = await take(one.feed.follow(cursor.encode(epoch or one.ledger.snapshot.epoch, seq)), 1)
    assert isinstance(change, Resync)
    assert change.seq == one.ledger.snapshot.seq


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
    page = await one.store.read(change.seq - 1, 1)
    assert page.changes[0] == change


async def test_a_store_that_fails_leaves_the_old_snapshot_and_the_next_refresh_heals(
    one: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(_: object) -> None:
        raise OSError

    before = one.ledger.snapshot
    one.calls.list_answer = listed("a/one", "a/two", "a/three")
    with monkeypatch.context() as disk:
        disk.setattr(one.store, "commit", full)
        await one.refresh()
    assert one.ledger.snapshot.revision == before.revision
    await one.refresh()
    assert one.ledger.snapshot.model("openrouter/a/three") is not None


async def test_followers_that_one_change_wakes_take_turns(one: World) -> None:
    followers = [asyncio.ensure_future(anext(one.feed.follow(None))) for _ in range(50)]
    await settle()
    with turns_beside() as turns:
        one.calls.list_answer = listed("a/one", "a/two", "a/three")
        one.ledger.listen(lambda _: setattr(turns, "taken", 0))
        await one.refresh()
        await asyncio.gather(*followers)
    assert turns.taken >= len(followers)

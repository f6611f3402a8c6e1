"""What breaks on our side costs no provider its good name."""

import asyncio
from collections.abc import Iterator
from unittest.mock import AsyncMock

import pytest
from structlog.testing import capture_logs

from catalogue.change import Change
from catalogue.ports.errors import StoreUnusable
from catalogue.vocabulary import (
    HealthStatus,
    ProviderErrorCode,
    RefreshOutcome,
)
from tests.polling.one_provider import DOWN, World, healthy, listed
from tests.polling.still_clock import settle
from upstream.call_rate import Priority
from upstream.errors import ServerStarved
from upstream.parsing import Parser


class Disk:
    """The disk of the store, which can be full."""

    def __init__(self, one: World, patch: pytest.MonkeyPatch) -> None:
        self._one = one
        self._patch = patch

    def fill(self) -> None:
        error = StoreUnusable("The data folder is full.")
        self._patch.setattr(self._one.store, "commit", AsyncMock(side_effect=error))

    def free(self) -> None:
        self._patch.undo()


def cursor_of(one: World) -> str:
    return one.snapshot.revision.position.cursor


def follower(one: World, since: str) -> asyncio.Future[Change]:
    """Somebody who read the catalogue with this cursor and waits for what comes."""
    return asyncio.ensure_future(anext(one.feed.follow(since)))


@pytest.fixture
def disk(one: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    with monkeypatch.context() as patch, capture_logs():
        yield Disk(one, patch)


async def test_a_full_disk_hides_no_outage_and_its_end_tells_what_happened(one: World, disk: Disk) -> None:
    await one.refresh()
    one.told.clear()
    disk.fill()
    one.calls.list_answer = DOWN
    for _ in range(3):
        assert (await one.coordinator.refresh(Priority.ADMIN)).outcome is RefreshOutcome.KEPT_LAST_GOOD
    assert one.health.status is HealthStatus.DOWN
    assert one.told == []
    disk.free()
    await one.when_due()
    assert [c.kind for c in one.told] == ["PROVIDER_HEALTH_CHANGED", "STATUS_CHANGED", "STATUS_CHANGED"]


async def test_whoever_read_while_the_disk_was_full_is_told_to_read_anew_and_nobody_else(
    one: World, disk: Disk
) -> None:
    await one.refresh()
    before = follower(one, cursor_of(one))
    disk.fill()
    one.calls.list_answer = DOWN
    await one.refresh()
    meanwhile = follower(one, cursor_of(one))
    read_meanwhile = cursor_of(one)
    await settle()
    one.calls.list_answer = listed("a/one", "a/two")
    for _ in range(2):
        await one.refresh()
    disk.free()
    await one.refresh()
    assert (await meanwhile).kind == "RESYNC"
    assert (await follower(one, read_meanwhile)).kind == "RESYNC"
    assert not before.done(), "what was served in between is over, and it never saw it"
    before.cancel()


async def test_an_outage_that_ends_with_a_list_that_cannot_be_stored_is_over_in_the_log_and_the_incidents(
    one: World, disk: Disk
) -> None:
    for answer in (listed("a/one"), DOWN, DOWN, DOWN):
        one.calls.list_answer = answer
        await one.refresh()
    disk.fill()
    one.calls.list_answer = listed("a/one", "a/new")
    with capture_logs() as logged:
        for _ in range(2):
            await one.refresh()
    assert [entry["after"] for entry in logged if entry["event"] == "provider_health_changed"] == ["healthy"]
    disk.free()
    await one.recorder.flush()
    (incident,) = (await one.store.incidents(["openrouter"], 10))["openrouter"]
    assert incident.ended_at is not None


async def test_a_list_that_cannot_be_stored_is_not_served_and_the_provider_is_no_worse_for_it(
    one: World, disk: Disk
) -> None:
    disk.fill()
    result = await one.coordinator.refresh(Priority.ADMIN)
    assert (result.outcome, result.model_count) == (RefreshOutcome.FAILED, 0)
    assert result.error is not None
    assert result.error.message == "The list came but could not be stored; see the server's log."
    await one.probe()
    assert (one.health.status, one.health.error) == (HealthStatus.HEALTHY, result.error)
    disk.free()
    one.clock.advance(70)
    while one.state.model_count == 0:
        await one.when_due()
    assert healthy(one)


async def test_polling_goes_on_while_the_store_cannot_be_written(one: World, disk: Disk) -> None:
    disk.fill()
    polling = asyncio.create_task(one.coordinator.run())
    async with asyncio.timeout(5):
        for _ in range(5):
            await one.clock.asleep.wait()
            one.calls.arrived.clear()
            one.clock.advance(700)
            await one.calls.arrived.wait()
    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)


async def test_a_list_that_cannot_be_taken_says_so_to_readers_until_one_is(
    one: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise TypeError

    with monkeypatch.context() as patch, capture_logs() as logged:
        patch.setattr(Parser, "parse", broken)
        result = await one.coordinator.refresh(Priority.ADMIN)
        await one.probe()
    assert result.outcome is RefreshOutcome.FAILED
    assert result.error is not None
    assert (result.error.code, result.error.message) == (
        ProviderErrorCode.MALFORMED,
        "The list could not be taken; see the server's log.",
    )
    assert (one.health.status, one.health.error) == (HealthStatus.HEALTHY, result.error)
    assert [entry["event"] for entry in logged if entry["log_level"] == "error"] == ["list_not_taken"]
    await one.refresh()
    await one.refresh()
    assert healthy(one)


async def test_what_breaks_here_in_an_outage_does_not_count_as_an_answer(
    one: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one.calls.list_answer = DOWN
    await one.refresh()
    with monkeypatch.context() as patch, capture_logs():
        patch.setattr("polling.list_update.fetch_list", None)
        await one.refresh()
    assert one.health.consecutive_failures == 1
    assert one.health.error is not None
    assert one.health.error.code is ProviderErrorCode.UNREACHABLE, "the provider's own trouble is told on"


async def test_a_server_without_file_descriptors_does_not_blame_the_provider(one: World) -> None:
    await one.refresh()
    one.calls.list_answer = ServerStarved("The server has no resources left for a call: EMFILE.")
    with capture_logs() as logged:
        for _ in range(3):
            result = await one.coordinator.refresh(Priority.ADMIN)
            await one.probe()
    assert result.outcome is RefreshOutcome.FAILED
    assert (one.health.status, one.health.error) == (HealthStatus.HEALTHY, result.error)
    told = [entry for entry in logged if entry["log_level"] == "error"]
    assert {entry["error"] for entry in told} == {"The server has no resources left for a call: EMFILE."}
    one.calls.list_answer = listed("a/one", "a/two")
    await one.probe()
    assert healthy(one)

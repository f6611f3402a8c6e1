"""What breaks on our side costs no provider its good name."""

import asyncio

import pytest
from structlog.testing import capture_logs

from backends.errors import StoreUnusable
from catalogue.vocabulary import (
    HealthStatus,
    ProviderErrorCode,
    RefreshOutcome,
)
from polling.pace import Priority
from polling.parsing import Parser
from providers._kit.errors import ServerStarved
from tests.polling.one_provider import DOWN, World, healthy, listed
from tests.polling.still_clock import settle


async def test_a_store_that_cannot_be_written_in_an_outage_does_not_end_polling(
    one: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await one.refresh()
    tried = asyncio.Event()

    async def full(_: object) -> None:
        tried.set()
        raise StoreUnusable("The data folder is full.")

    monkeypatch.setattr(one.store, "commit", full)
    one.calls.list_answer = DOWN
    with capture_logs():
        assert (await one.coordinator.refresh(Priority.ADMIN)).outcome is RefreshOutcome.FAILED
        polling = asyncio.create_task(one.coordinator.run())
        for _ in range(3):
            async with asyncio.timeout(5):
                await one.clock.asleep.wait()
                tried.clear()
                one.clock.advance(700)
                await tried.wait()
        await settle()
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)
    assert one.state.model_count == 2


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
        "The list could not be taken; the server's log says why.",
    )
    assert (one.standing.status, one.standing.error) == (HealthStatus.HEALTHY, result.error)
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
        patch.setattr("polling.coordinator.fetch_list", None)
        await one.refresh()
    assert one.standing.consecutive_failures == 1
    assert one.standing.error is not None
    assert one.standing.error.code is ProviderErrorCode.UNREACHABLE, "the provider's own trouble is told on"


async def test_a_server_without_file_descriptors_does_not_blame_the_provider(one: World) -> None:
    await one.refresh()
    one.calls.list_answer = ServerStarved("The server has no resources left for a call: EMFILE.")
    with capture_logs() as logged:
        for _ in range(3):
            result = await one.coordinator.refresh(Priority.ADMIN)
            await one.probe()
    assert result.outcome is RefreshOutcome.FAILED
    assert (one.standing.status, one.standing.error) == (HealthStatus.HEALTHY, result.error)
    told = [entry for entry in logged if entry["log_level"] == "error"]
    assert {entry["error"] for entry in told} == {"The server has no resources left for a call: EMFILE."}
    one.calls.list_answer = listed("a/one")
    await one.refresh()
    assert healthy(one)

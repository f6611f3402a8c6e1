"""Refreshes: shared, bounded, told step by step, and never lost to a caller that goes away."""

import asyncio

import pytest

from catalogue.refresh import RefreshProgress
from catalogue.vocabulary import (
    HealthStatus,
    ProviderErrorCode,
    RefreshOutcome,
    RefreshStep,
)
from tests.polling.one_provider import World, listed
from tests.polling.still_clock import settle
from upstream.call_rate import Priority
from upstream.errors import Throttled


async def test_refreshes_that_overlap_share_one_flight(one: World) -> None:
    one.calls.gate.clear()
    flights = [asyncio.create_task(one.coordinator.refresh(Priority.ADMIN)) for _ in range(5)]
    await one.calls.arrived.wait()
    one.calls.gate.set()
    results = await asyncio.gather(*flights)
    assert len(one.calls.asked) == 1
    assert all(r is results[0] for r in results)


async def test_a_caller_that_goes_away_neither_stops_the_flight_nor_counts_as_a_failure(one: World) -> None:
    one.calls.gate.clear()
    gone = asyncio.create_task(one.coordinator.refresh(Priority.ADMIN))
    stays = asyncio.create_task(one.coordinator.refresh(Priority.ADMIN))
    await one.calls.arrived.wait()
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    one.calls.gate.set()
    assert (await stays).outcome is RefreshOutcome.UPDATED
    assert one.health.consecutive_failures == 0


async def test_an_admins_refresh_ends_a_long_rest_and_polling_goes_on(one: World) -> None:
    one.calls.list_answer = Throttled("Later.", retry_after=86_400.0)
    await one.refresh()
    polling = asyncio.create_task(one.coordinator.run())
    await settle()
    one.calls.list_answer = listed("a/one")
    await one.refresh()
    await settle()
    one.calls.arrived.clear()
    one.clock.advance(40)
    async with asyncio.timeout(5):
        await one.calls.arrived.wait()
    assert one.calls.asked[-1].priority is Priority.PROBE
    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)


async def test_stopping_in_the_middle_of_a_call_is_no_failure(one: World) -> None:
    one.calls.gate.clear()
    task = asyncio.create_task(one.coordinator.refresh(Priority.POLL))
    await one.calls.arrived.wait()
    await one.coordinator.stop()
    await asyncio.gather(task, return_exceptions=True)
    assert one.health.consecutive_failures == 0
    assert one.health.status is HealthStatus.UNKNOWN


async def test_a_refresh_without_force_skips_a_fresh_list(one: World) -> None:
    await one.refresh()
    one.calls.asked.clear()
    (result,) = await one.poller.refresh(["openrouter"], force=False)
    assert (result.outcome, one.calls.asked) == (RefreshOutcome.SKIPPED, [])
    one.clock.advance(601)
    (result,) = await one.poller.refresh(["openrouter"], force=False)
    assert result.outcome is RefreshOutcome.UNCHANGED


async def test_a_refresh_that_takes_too_long_answers_in_progress_says_why_and_goes_on(
    one: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("polling.poller.REFRESH_SECONDS", 0.0)
    one.calls.gate.clear()
    (result,) = await one.poller.refresh(["openrouter"], force=True)
    assert (result.outcome, result.error and result.error.message) == (
        RefreshOutcome.IN_PROGRESS,
        "OpenRouter has not answered in full yet. The refresh goes on. providerHealth shows how it ends.",
    )
    one.calls.gate.set()
    assert (await one.coordinator.refresh(Priority.ADMIN)).model_count == 2


async def test_a_list_that_never_comes_to_its_end_is_given_up(one: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polling.list_update._LIST_SECONDS", 0.0)
    one.calls.gate.clear()
    result = await one.coordinator.refresh(Priority.POLL)
    assert result.error is not None
    assert result.error.code is ProviderErrorCode.TIMEOUT


async def test_the_steps_of_a_refresh_are_told_to_the_end(one: World) -> None:
    steps: list[RefreshProgress] = []

    async def watch() -> None:
        async for step in one.progress.watch():
            steps.append(step)
            if step.step is RefreshStep.DONE:
                return

    watcher = asyncio.create_task(watch())
    await settle()
    await one.refresh()
    await watcher
    assert [s.step for s in steps] == [
        RefreshStep.WAITING,
        RefreshStep.FETCHING,
        RefreshStep.READING,
        RefreshStep.COMPARING,
        RefreshStep.DONE,
    ]
    assert steps[-1].result is not None

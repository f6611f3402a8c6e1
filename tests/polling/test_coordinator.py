"""The coordinator: what each answer of a provider, or its absence, means to readers."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from backends.errors import StoreUnusable
from catalogue.errors import BadUserInput
from catalogue.refresh import RefreshProgress
from catalogue.vocabulary import (
    BreakerState,
    DataSource,
    HealthStatus,
    ModelStatus,
    ProviderErrorCode,
    RefreshOutcome,
    RefreshStep,
)
from polling.pace import Priority
from polling.parsing import Parser
from providers._kit.errors import Malformed, Throttled, Unauthorized, Unreachable
from tests.polling.one_provider import GOOD_KEY, World, answered, listed, world
from tests.polling.still_clock import settle

DOWN = Unreachable("No connection to the provider could be made.")
MANY = tuple(f"a/m{n}" for n in range(40))


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


@pytest.fixture
async def keyed(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, key=GOOD_KEY) as made:
        yield made


def healthy(one: World) -> bool:
    standing = one.standing
    return standing.status is HealthStatus.HEALTHY and standing.error is None and standing.quarantine is None


async def test_a_good_list_is_served_and_counts_as_a_probe(one: World) -> None:
    result = await one.coordinator.refresh(Priority.ADMIN)
    assert (result.outcome, result.added, result.model_count) == (RefreshOutcome.UPDATED, 2, 2)
    assert one.standing.status is HealthStatus.HEALTHY
    model = one.ledger.snapshot.model("openrouter/a/one")
    assert model is not None
    assert (model.status, model.source) == (ModelStatus.AVAILABLE, DataSource.LIVE)


async def test_the_first_list_raises_a_resync_and_no_change_per_model(one: World) -> None:
    await one.refresh()
    assert [c.kind for c in one.told] == ["PROVIDER_HEALTH_CHANGED", "RESYNC"]


async def test_an_equal_list_makes_no_revision_but_moves_last_checked(one: World) -> None:
    await one.refresh()
    before = one.ledger.snapshot
    one.clock.advance(60)
    result = await one.coordinator.refresh(Priority.ADMIN)
    after = one.ledger.snapshot
    assert result.outcome is RefreshOutcome.UNCHANGED
    assert after.revision == before.revision
    assert after.providers["openrouter"].standing.last_checked == one.clock.now()
    assert after.providers["openrouter"].listing.as_of == one.clock.now()


async def test_the_same_models_in_another_order_make_no_revision(one: World) -> None:
    await one.refresh()
    revision = one.ledger.snapshot.revision
    one.calls.list_answer = listed("a/two", "a/one")
    await one.refresh()
    assert one.ledger.snapshot.revision == revision


async def test_a_model_gone_once_is_unavailable_and_gone_twice_is_removed(one: World) -> None:
    await one.refresh()
    one.calls.list_answer = listed("a/one")
    one.told.clear()
    await one.refresh()
    gone = one.ledger.snapshot.model("openrouter/a/two")
    assert gone is not None
    assert gone.status is ModelStatus.UNAVAILABLE
    assert [c.kind for c in one.told] == ["STATUS_CHANGED"]
    await one.refresh()  # byte for byte the same list: it is the second one without the model
    assert one.ledger.snapshot.model("openrouter/a/two") is None
    assert [c.kind for c in one.told] == ["STATUS_CHANGED", "MODEL_REMOVED"]


async def test_three_failures_take_it_down_and_two_successes_bring_it_back(one: World) -> None:
    await one.refresh()
    one.calls.list_answer = one.calls.check_answer = DOWN
    seen = []
    for _ in range(3):
        await one.refresh()
        seen.append(one.standing.status)
    assert seen == [HealthStatus.DEGRADED, HealthStatus.DEGRADED, HealthStatus.DOWN]
    assert one.standing.breaker is BreakerState.OPEN
    model = one.ledger.snapshot.model("openrouter/a/one")
    assert model is not None
    assert model.status is ModelStatus.UNAVAILABLE
    assert model.error_message == "OpenRouter is down: No connection to the provider could be made."
    one.calls.list_answer = listed("a/one", "a/two")
    await one.refresh()
    assert (one.standing.status, one.standing.breaker) == (HealthStatus.DOWN, BreakerState.HALF_OPEN)
    await one.refresh()
    assert healthy(one)


async def test_a_failure_keeps_the_last_good_list_and_says_why(one: World) -> None:
    await one.refresh()
    one.calls.list_answer = DOWN
    result = await one.coordinator.refresh(Priority.ADMIN)
    assert result.outcome is RefreshOutcome.KEPT_LAST_GOOD
    assert result.error is not None
    assert result.error.code is ProviderErrorCode.UNREACHABLE
    assert one.state.model_count == 2


async def test_without_any_good_list_a_failure_is_a_failure(one: World) -> None:
    one.calls.list_answer = DOWN
    result = await one.coordinator.refresh(Priority.ADMIN)
    assert result.outcome is RefreshOutcome.FAILED


async def test_an_open_breaker_lets_nothing_through_until_its_time_and_then_one_probe(one: World) -> None:
    one.calls.list_answer = one.calls.check_answer = DOWN
    for _ in range(3):
        await one.refresh()
    one.calls.asked.clear()
    await one.coordinator._step()
    assert one.calls.asked == []
    one.clock.advance(31)
    await one.coordinator._step()
    assert [a.priority for a in one.calls.asked] == [Priority.PROBE]
    assert one.standing.breaker is BreakerState.OPEN


async def test_an_open_breaker_stays_open_ever_longer(one: World) -> None:
    one.calls.list_answer = one.calls.check_answer = DOWN
    for _ in range(3):
        await one.refresh()
    pauses = []
    for _ in range(7):
        retry_at = one.standing.retry_at
        assert retry_at is not None
        pauses.append((retry_at - one.clock.now()).total_seconds())
        one.clock.advance(pauses[-1])
        await one.probe()
    assert pauses == [30, 60, 120, 240, 480, 600, 600]


async def test_a_garbled_list_degrades_without_counting_towards_down(one: World) -> None:
    await one.refresh()
    one.calls.list_answer = answered(b"<html>maintenance</html>")
    for _ in range(4):
        await one.refresh()
    assert one.standing.status is HealthStatus.DEGRADED
    assert one.standing.error is not None
    assert one.standing.error.code is ProviderErrorCode.MALFORMED
    assert one.state.model_count == 2


async def test_a_probe_does_not_hide_that_the_list_is_garbled(keyed: World) -> None:
    await keyed.refresh()
    keyed.calls.list_answer = Malformed("The provider's answer is no JSON.")
    await keyed.refresh()
    for _ in range(3):
        await keyed.probe()
    assert keyed.standing.error is not None
    assert keyed.standing.error.code is ProviderErrorCode.MALFORMED


async def test_garbage_rows_are_dropped_counted_and_visible(one: World) -> None:
    one.calls.list_answer = answered(b'{"data": [{"id": "a/one", "name": "One"}, null, 7, {"name": "no id"}]}')
    await one.refresh()
    assert (one.state.model_count, one.standing.dropped_rows) == (1, 3)
    assert one.standing.status is HealthStatus.HEALTHY
    assert one.standing.error is not None
    assert one.standing.error.message == "3 rows of the list could not be read and were left out."


async def test_a_refused_key_rests_while_the_public_list_is_read_without_it(keyed: World) -> None:
    keyed.calls.keyed_list_answer = Unauthorized("The provider refused the key or its absence (status 401).")
    result = await keyed.coordinator.refresh(Priority.POLL)
    assert result.outcome is RefreshOutcome.UPDATED
    assert [a.keyed for a in keyed.calls.asked] == [True, False]
    assert keyed.standing.status is HealthStatus.DEGRADED
    assert keyed.standing.error is not None
    assert keyed.standing.error.code is ProviderErrorCode.UNAUTHORIZED
    keyed.calls.asked.clear()
    await keyed.coordinator.refresh(Priority.POLL)
    assert [a.keyed for a in keyed.calls.asked] == [False]
    keyed.clock.advance(15 * 60)
    keyed.calls.keyed_list_answer = None
    keyed.calls.asked.clear()
    await keyed.coordinator.refresh(Priority.POLL)
    await keyed.coordinator.refresh(Priority.POLL)
    assert all(a.keyed for a in keyed.calls.asked)
    assert healthy(keyed)


async def test_a_keyed_list_that_is_smaller_than_the_public_one_is_not_suspicious(keyed: World) -> None:
    keyed.calls.keyed_list_answer = Unauthorized("refused")
    keyed.calls.list_answer = listed(*MANY)
    await keyed.refresh()
    keyed.calls.keyed_list_answer = listed("a/m1")
    result = await keyed.coordinator.refresh(Priority.ADMIN)
    assert result.outcome is RefreshOutcome.UPDATED


async def test_a_refused_key_does_not_open_the_door_to_a_bad_public_list(keyed: World) -> None:
    keyed.calls.list_answer = listed(*MANY)
    await keyed.refresh()
    keyed.calls.keyed_list_answer = Unauthorized("refused")
    keyed.calls.list_answer = listed(*MANY[:5])
    result = await keyed.coordinator.refresh(Priority.ADMIN)
    assert (result.outcome, keyed.state.model_count) == (RefreshOutcome.QUARANTINED, 40)


async def test_a_key_that_is_good_again_is_measured_by_its_own_last_list(keyed: World) -> None:
    keyed.calls.list_answer = listed(*MANY)
    await keyed.refresh()
    keyed.calls.keyed_list_answer = Unauthorized("refused")
    await keyed.refresh()
    keyed.calls.keyed_list_answer = listed(*MANY, prompt="1")
    result = await keyed.coordinator.refresh(Priority.ADMIN)
    assert result.outcome is RefreshOutcome.QUARANTINED


async def test_the_next_check_is_told_as_it_will_be_while_the_breaker_is_open(one: World) -> None:
    one.calls.list_answer = one.calls.check_answer = DOWN
    for _ in range(6):
        await one.refresh()
    assert one.standing.next_check_at is not None
    assert one.standing.retry_at is not None
    assert one.standing.next_check_at >= one.standing.retry_at


async def test_deciding_on_a_list_keeps_another_error(one: World) -> None:
    one.calls.list_answer = listed(*MANY)
    await one.refresh()
    one.calls.list_answer = listed()
    await one.refresh()
    assert one.standing.quarantine is not None
    one.calls.list_answer = DOWN
    await one.refresh()
    await one.poller.resolve_quarantine(one.standing.quarantine.id, accept=False)
    assert one.standing.error is not None
    assert one.standing.error.code is ProviderErrorCode.UNREACHABLE


async def test_too_many_requests_are_waited_out_as_told_but_never_longer_than_an_hour(one: World) -> None:
    await one.refresh()
    for told, waited in ((300.0, 300.0), (10.0**9, 3600.0)):
        one.calls.list_answer = Throttled("The provider allows no more calls for now.", retry_after=told)
        await one.refresh()
        assert one.standing.status is HealthStatus.DEGRADED
        assert one.standing.error is not None
        assert one.standing.error.code is ProviderErrorCode.RATE_LIMITED
        next_check = one.standing.next_check_at
        assert next_check is not None
        assert (next_check - one.clock.now()).total_seconds() == pytest.approx(waited)
        one.clock.advance(waited)


async def test_a_suspicious_list_is_held_back_and_the_last_good_one_served(one: World) -> None:
    one.calls.list_answer = listed(*MANY)
    await one.refresh()
    one.calls.list_answer = listed(*MANY[:10])
    result = await one.coordinator.refresh(Priority.ADMIN)
    assert result.outcome is RefreshOutcome.QUARANTINED
    assert one.state.model_count == 40
    assert one.standing.status is HealthStatus.HEALTHY
    quarantine = one.standing.quarantine
    assert quarantine is not None
    assert (quarantine.reason, quarantine.removed) == ("The list lost 30 of 40 models.", 30)
    assert one.standing.error is not None
    assert one.standing.error.code is ProviderErrorCode.SUSPICIOUS
    await one.refresh()
    assert one.standing.quarantine == quarantine, "the same list is not held back anew"


async def test_an_accepted_list_is_served(one: World) -> None:
    one.calls.list_answer = listed(*MANY)
    await one.refresh()
    one.calls.list_answer = listed(*MANY[:10])
    await one.refresh()
    assert one.standing.quarantine is not None
    await one.poller.resolve_quarantine(one.standing.quarantine.id, accept=True)
    assert one.state.model_count == 10
    assert healthy(one)


async def test_the_list_before_an_accepted_one_is_news_when_it_comes_back(one: World) -> None:
    one.calls.list_answer = listed(*MANY)
    await one.refresh()
    one.calls.list_answer = listed(*MANY[:10])
    await one.refresh()
    assert one.standing.quarantine is not None
    await one.poller.resolve_quarantine(one.standing.quarantine.id, accept=True)
    one.calls.list_answer = listed(*MANY)
    result = await one.coordinator.refresh(Priority.ADMIN)
    assert (result.outcome, one.state.model_count) == (RefreshOutcome.UPDATED, 40)


async def test_a_discarded_list_is_not_held_back_again_and_the_reason_stays_visible(one: World) -> None:
    one.calls.list_answer = listed(*MANY)
    await one.refresh()
    one.calls.list_answer = listed(*MANY[:10])
    await one.refresh()
    assert one.standing.quarantine is not None
    id_ = one.standing.quarantine.id
    await one.poller.resolve_quarantine(id_, accept=False)
    result = await one.coordinator.refresh(Priority.ADMIN)
    assert result.outcome is RefreshOutcome.KEPT_LAST_GOOD
    assert one.standing.quarantine is None
    assert one.standing.error is not None
    assert "discarded" in one.standing.error.message
    with pytest.raises(BadUserInput):
        await one.poller.resolve_quarantine(id_, accept=True)


async def test_a_good_list_clears_the_quarantine(one: World) -> None:
    one.calls.list_answer = listed(*MANY)
    await one.refresh()
    one.calls.list_answer = listed()
    await one.refresh()
    one.calls.list_answer = listed(*MANY)
    await one.refresh()
    assert healthy(one)
    assert one.state.model_count == 40


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
    assert one.standing.consecutive_failures == 0


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
    assert (one.standing.status, one.standing.error) == (HealthStatus.DEGRADED, result.error)
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
    assert one.standing.error.code is ProviderErrorCode.MALFORMED


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
    assert one.standing.consecutive_failures == 0
    assert one.standing.status is HealthStatus.UNKNOWN


async def test_a_refresh_without_force_skips_a_fresh_list(one: World) -> None:
    await one.refresh()
    one.calls.asked.clear()
    (result,) = await one.poller.refresh(["openrouter"], force=False)
    assert (result.outcome, one.calls.asked) == (RefreshOutcome.SKIPPED, [])
    one.clock.advance(601)
    (result,) = await one.poller.refresh(["openrouter"], force=False)
    assert result.outcome is RefreshOutcome.UNCHANGED


async def test_a_refresh_that_takes_too_long_answers_in_progress_and_goes_on(
    one: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("polling.poller.REFRESH_SECONDS", 0.0)
    one.calls.gate.clear()
    (result,) = await one.poller.refresh(["openrouter"], force=True)
    assert result.outcome is RefreshOutcome.IN_PROGRESS
    one.calls.gate.set()
    assert (await one.coordinator.refresh(Priority.ADMIN)).model_count == 2


async def test_a_list_that_never_comes_to_its_end_is_given_up(one: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polling.coordinator._FLIGHT_SECONDS", 0.0)
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


async def test_an_announced_end_that_passes_is_a_status_change(one: World) -> None:
    one.calls.list_answer = answered(b'{"data": [{"id": "a/one", "name": "One", "expiration_date": "2026-05-01"}]}')
    await one.refresh()
    one.told.clear()
    one.clock.advance(24 * 3600)
    await one.ledger.publish("openrouter")
    model = one.ledger.snapshot.model("openrouter/a/one")
    assert model is not None
    assert model.status is ModelStatus.DEPRECATED
    assert [c.kind for c in one.told] == ["STATUS_CHANGED"]


async def test_data_older_than_two_lifetimes_is_limited_and_last_good(one: World) -> None:
    await one.refresh()
    one.clock.advance(1201)
    await one.ledger.publish("openrouter")
    model = one.ledger.snapshot.model("openrouter/a/one")
    assert model is not None
    assert (model.status, model.source) == (ModelStatus.LIMITED, DataSource.LAST_GOOD)


async def test_a_health_edge_changes_statuses_and_is_told_once(one: World) -> None:
    await one.refresh()
    one.told.clear()
    one.calls.list_answer = DOWN
    await one.refresh()
    await one.refresh()
    assert [c.kind for c in one.told].count("PROVIDER_HEALTH_CHANGED") == 1
    assert [c.kind for c in one.told].count("STATUS_CHANGED") == 2


async def test_going_down_opens_an_incident_and_coming_back_closes_it(one: World) -> None:
    one.calls.list_answer = DOWN
    for _ in range(3):
        await one.refresh()
    one.calls.list_answer = listed("a/one")
    one.clock.advance(90)
    await one.refresh()
    await one.refresh()
    await one.recorder.flush()
    (incident,) = (await one.store.incidents(["openrouter"], 10))["openrouter"]
    assert incident.code is ProviderErrorCode.UNREACHABLE
    assert incident.ended_at is not None
    assert (incident.ended_at - incident.started_at).total_seconds() == 90

"""What an outage of a provider, and its end, mean to readers and to the provider."""

from datetime import timedelta
from pathlib import Path

import pytest

from catalogue.vocabulary import (
    BreakerState,
    HealthStatus,
    ModelStatus,
    ProviderErrorCode,
    RefreshOutcome,
)
from tests.polling.one_provider import DOWN, World, answered, healthy, listed, world
from upstream.call_rate import Priority
from upstream.errors import Malformed, Throttled, Unreachable


async def test_three_failures_take_it_down_and_two_successes_bring_it_back(one: World) -> None:
    await one.refresh()
    one.calls.list_answer = one.calls.check_answer = DOWN
    seen = []
    for _ in range(3):
        await one.refresh()
        seen.append(one.health.status)
    assert seen == [HealthStatus.DEGRADED, HealthStatus.DEGRADED, HealthStatus.DOWN]
    assert one.health.breaker is BreakerState.OPEN
    model = one.snapshot.model("openrouter/a/one")
    assert model is not None
    assert model.status is ModelStatus.UNAVAILABLE
    assert model.error_message == "OpenRouter is down: The connection to the provider failed."
    one.calls.list_answer = listed("a/one", "a/two")
    await one.refresh()
    assert (one.health.status, one.health.breaker) == (HealthStatus.DOWN, BreakerState.HALF_OPEN)
    await one.refresh()
    assert healthy(one)


async def test_without_any_good_list_a_failure_is_a_failure(one: World) -> None:
    one.calls.list_answer = DOWN
    result = await one.coordinator.refresh(Priority.ADMIN)
    assert result.outcome is RefreshOutcome.FAILED


async def test_a_failure_keeps_the_last_good_list_and_says_why(one: World) -> None:
    await one.refresh()
    one.calls.list_answer = DOWN
    result = await one.coordinator.refresh(Priority.ADMIN)
    assert result.outcome is RefreshOutcome.KEPT_LAST_GOOD
    assert result.error is not None
    assert result.error.code is ProviderErrorCode.UNREACHABLE
    assert one.state.model_count == 2


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
    assert one.health.breaker is BreakerState.OPEN


async def test_an_open_breaker_stays_open_ever_longer(one: World) -> None:
    one.calls.list_answer = one.calls.check_answer = DOWN
    for _ in range(3):
        await one.refresh()
    pauses = []
    for _ in range(7):
        pauses.append(one.next_check)
        await one.when_due()
    assert pauses == [pytest.approx(seconds, rel=0.11) for seconds in (30, 60, 120, 240, 480, 600, 600)]


async def test_the_next_check_is_told_as_it_will_be_while_the_breaker_is_open(one: World) -> None:
    one.calls.list_answer = one.calls.check_answer = DOWN
    for _ in range(6):
        await one.refresh()
    one.clock.advance(one.next_check - 1)
    assert await one.step() == []
    assert len(await one.when_due()) == 1


async def test_too_many_requests_are_waited_out_as_told_but_never_longer_than_an_hour(one: World) -> None:
    await one.refresh()
    for told, waited in ((300.0, 300.0), (10.0**9, 3600.0)):
        one.calls.list_answer = Throttled("The provider allows no more calls for now.", retry_after=told)
        await one.refresh()
        assert one.health.status is HealthStatus.DEGRADED
        assert one.health.error is not None
        assert one.health.error.code is ProviderErrorCode.RATE_LIMITED
        next_check = one.health.next_check_at
        assert next_check is not None
        assert (next_check - one.clock.now()).total_seconds() == pytest.approx(waited)
        one.clock.advance(waited)


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


async def test_the_answer_after_an_outage_is_followed_by_the_list_at_once(one: World) -> None:
    await one.refresh()
    one.calls.list_answer = DOWN
    for _ in range(3):
        await one.refresh()
    one.calls.list_answer = listed("a/one")
    assert [a.priority for a in await one.when_due()] == [Priority.PROBE]
    assert [a.priority for a in await one.step()] == [Priority.POLL]
    assert healthy(one)
    assert one.state.model_count == 1


async def test_a_good_list_by_an_admin_is_followed_by_a_probe_that_ends_the_outage(one: World) -> None:
    one.calls.list_answer = DOWN
    for _ in range(3):
        await one.refresh()
    one.calls.list_answer = listed("a/one")
    await one.refresh()
    assert one.health.status is HealthStatus.DOWN
    assert [a.priority for a in await one.step()] == [Priority.PROBE]
    assert healthy(one)


async def test_one_that_answers_again_but_for_its_list_is_degraded_and_not_down(keyed: World) -> None:
    await keyed.refresh()
    keyed.calls.list_answer = keyed.calls.check_answer = DOWN
    for _ in range(3):
        await keyed.refresh()
    keyed.calls.check_answer = answered(b"{}")
    keyed.calls.list_answer = Unreachable("The provider's response is incomplete.")
    for _ in range(3):
        await keyed.when_due()
    assert keyed.health.status is HealthStatus.DEGRADED
    assert keyed.health.error is not None
    assert keyed.health.error.message == "The provider's response is incomplete."


async def test_one_that_breaks_off_again_after_an_answer_is_left_alone_again(keyed: World) -> None:
    keyed.calls.list_answer = keyed.calls.check_answer = DOWN
    for _ in range(3):
        await keyed.refresh()
    keyed.calls.check_answer = answered(b"{}")
    await keyed.when_due()
    keyed.calls.check_answer = DOWN
    await keyed.step()
    await keyed.step()
    assert (keyed.health.status, keyed.health.breaker) == (HealthStatus.DOWN, BreakerState.OPEN)
    assert keyed.next_check > 1
    assert await keyed.step() == []


async def test_a_health_check_that_fails_alone_degrades_and_never_takes_down(keyed: World) -> None:
    await keyed.refresh()
    keyed.calls.check_answer = Unreachable("The provider answered with status 500.")
    for _ in range(5):
        await keyed.probe()
    assert keyed.health.status is HealthStatus.DEGRADED
    assert keyed.health.error is not None
    assert keyed.health.error.message == (
        "Its list can be read, but its health check fails: The provider answered with status 500."
    )
    await keyed.refresh()
    await keyed.refresh()
    assert keyed.health.status is HealthStatus.DEGRADED, "a good list does not mend the check"
    keyed.calls.check_answer = answered(b"{}")
    await keyed.probe()
    await keyed.probe()
    assert healthy(keyed)


async def test_a_web_page_in_place_of_the_key_check_is_no_answer(keyed: World) -> None:
    await keyed.refresh()
    keyed.calls.check_answer = answered(b"<!doctype html><title>Maintenance</title>")
    await keyed.probe()
    assert keyed.health.status is HealthStatus.DEGRADED


async def test_a_web_page_in_place_of_the_list_is_seen_by_a_probe(one: World) -> None:
    await one.refresh()
    one.calls.list_answer = answered(b"\n<html>Log in</html>")
    await one.probe()
    assert one.health.status is HealthStatus.DEGRADED
    assert one.health.error is not None
    assert one.health.error.code is ProviderErrorCode.MALFORMED


async def test_one_that_answers_with_nothing_of_use_is_asked_ever_more_rarely(one: World) -> None:
    await one.refresh()
    one.calls.list_answer = Malformed("The provider answered with a web page instead of a list.")
    began, calls = one.clock.seconds, 0
    while one.clock.seconds - began < 4 * 3600:
        calls += len(await one.when_due())
    assert calls < 2 * 4 * 6 + 12, "list and probe come to every ten minutes each"


async def test_an_unavailable_provider_is_waited_for_as_it_told(one: World) -> None:
    await one.refresh()
    one.calls.list_answer = Unreachable("The provider answered with status 503.", retry_after=900.0)
    await one.refresh()
    assert one.next_check == pytest.approx(900.0)


async def test_a_wall_clock_that_is_set_back_does_not_end_polling(one: World) -> None:
    await one.refresh()
    one.clock.start -= timedelta(days=3)
    one.clock.advance(40)
    assert [a.priority for a in await one.step()] == [Priority.PROBE]
    (result,) = await one.poller.refresh(["openrouter"], force=False)
    assert result.outcome is RefreshOutcome.UNCHANGED, "a list of the future counts as none"


async def test_one_that_is_not_polled_is_watched_while_it_is_not_well(tmp_path: Path) -> None:
    async with world(tmp_path, poll=False) as one:
        one.clock.advance(3600)
        assert await one.step() == []
        await one.refresh()
        assert one.health.next_check_at is None
        one.calls.list_answer = DOWN
        for _ in range(3):
            await one.refresh()
        one.calls.list_answer = listed("a/one")
        await one.when_due()
        await one.when_due()
        assert healthy(one)
        assert one.health.next_check_at is None

"""The coordinator: what each list of a provider means to readers."""

from structlog.testing import capture_logs

from catalogue.vocabulary import (
    DataSource,
    HealthStatus,
    ModelStatus,
    ProviderErrorCode,
    RefreshOutcome,
)
from tests.polling.one_provider import World, answered, listed
from upstream.call_rate import Priority
from upstream.errors import Malformed


async def test_a_good_list_is_served_and_counts_as_a_probe(one: World) -> None:
    result = await one.coordinator.refresh(Priority.ADMIN)
    assert (result.outcome, result.added, result.model_count) == (RefreshOutcome.UPDATED, 2, 2)
    assert one.health.status is HealthStatus.HEALTHY
    model = one.snapshot.model("openrouter/a/one")
    assert model is not None
    assert (model.status, model.source) == (ModelStatus.AVAILABLE, DataSource.LIVE)


async def test_the_first_list_raises_a_resync_and_no_change_per_model(one: World) -> None:
    await one.refresh()
    assert [c.kind for c in one.told] == ["PROVIDER_HEALTH_CHANGED", "RESYNC"]


async def test_an_equal_list_makes_no_revision_but_moves_last_checked(one: World) -> None:
    await one.refresh()
    before = one.snapshot
    one.clock.advance(60)
    result = await one.coordinator.refresh(Priority.ADMIN)
    after = one.snapshot
    assert result.outcome is RefreshOutcome.UNCHANGED
    assert after.revision == before.revision
    assert after.providers["openrouter"].health.last_checked == one.clock.now()
    assert after.providers["openrouter"].as_of == one.clock.now()


async def test_the_same_models_in_another_order_make_no_revision(one: World) -> None:
    await one.refresh()
    revision = one.snapshot.revision
    one.calls.list_answer = listed("a/two", "a/one")
    await one.refresh()
    assert one.snapshot.revision == revision


async def test_a_model_gone_once_is_unavailable_and_gone_twice_is_removed(one: World) -> None:
    await one.refresh()
    one.calls.list_answer = listed("a/one")
    one.told.clear()
    await one.refresh()
    gone = one.snapshot.model("openrouter/a/two")
    assert gone is not None
    assert gone.status is ModelStatus.UNAVAILABLE
    assert [c.kind for c in one.told] == ["STATUS_CHANGED"]
    await one.refresh()  # byte for byte the same list: it is the second one without the model
    assert one.snapshot.model("openrouter/a/two") is None
    assert [c.kind for c in one.told] == ["STATUS_CHANGED", "MODEL_REMOVED"]


async def test_a_garbled_list_degrades_without_counting_towards_down(one: World) -> None:
    await one.refresh()
    one.calls.list_answer = answered(b"<html>maintenance</html>")
    for _ in range(4):
        await one.refresh()
    assert one.health.status is HealthStatus.DEGRADED
    assert one.health.error is not None
    assert one.health.error.code is ProviderErrorCode.MALFORMED
    assert one.state.model_count == 2


async def test_a_probe_does_not_hide_that_the_list_is_garbled(keyed: World) -> None:
    await keyed.refresh()
    keyed.calls.list_answer = Malformed("The provider's response is not valid JSON.")
    await keyed.refresh()
    for _ in range(3):
        await keyed.probe()
    assert keyed.health.error is not None
    assert keyed.health.error.code is ProviderErrorCode.MALFORMED


async def test_garbage_rows_are_dropped_counted_and_visible(one: World) -> None:
    one.calls.list_answer = answered(b'{"data": [{"id": "a/one", "name": "One"}, null, 7, {"name": "no id"}]}')
    with capture_logs() as logged:
        await one.refresh()
        await one.refresh()
    assert [entry["rows"] for entry in logged if entry["event"] == "rows_dropped"] == [3]
    assert (one.state.model_count, one.health.dropped_rows) == (1, 3)
    assert one.health.status is HealthStatus.HEALTHY
    assert one.health.error is not None
    assert one.health.error.message == "3 rows of the list could not be read and were left out."


async def test_an_announced_end_that_passes_is_a_status_change(one: World) -> None:
    one.calls.list_answer = answered(b'{"data": [{"id": "a/one", "name": "One", "expiration_date": "2026-05-01"}]}')
    await one.refresh()
    one.told.clear()
    one.clock.advance(24 * 3600)
    await one.ledger.evaluate()
    model = one.snapshot.model("openrouter/a/one")
    assert model is not None
    assert model.status is ModelStatus.DEPRECATED
    assert [c.kind for c in one.told] == ["STATUS_CHANGED"]


async def test_data_older_than_two_lifetimes_is_limited_and_last_good(one: World) -> None:
    await one.refresh()
    one.clock.advance(1201)
    await one.ledger.evaluate()
    model = one.snapshot.model("openrouter/a/one")
    assert model is not None
    assert (model.status, model.source) == (ModelStatus.LIMITED, DataSource.LAST_GOOD)

"""What a refused key of the server's means."""

from catalogue.vocabulary import (
    HealthStatus,
    ProviderErrorCode,
    RefreshOutcome,
)
from tests.polling.one_provider import MANY, World, healthy, listed
from upstream.call_rate import Priority
from upstream.errors import Unauthorized


async def test_a_refused_key_rests_while_the_public_list_is_read_without_it(keyed: World) -> None:
    keyed.calls.keyed_list_answer = Unauthorized("The provider rejected the key, or requires one (status 401).")
    result = await keyed.coordinator.refresh(Priority.POLL)
    assert result.outcome is RefreshOutcome.UPDATED
    assert [a.keyed for a in keyed.calls.asked] == [True, False]
    assert keyed.health.status is HealthStatus.DEGRADED
    assert keyed.health.error is not None
    assert keyed.health.error.code is ProviderErrorCode.UNAUTHORIZED
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

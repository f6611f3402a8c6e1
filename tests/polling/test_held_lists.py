"""Suspicious lists: held back, decided on, cleared."""

from datetime import timedelta
from pathlib import Path
from unittest.mock import AsyncMock

import pytest
from structlog.testing import capture_logs

from catalogue.errors import BadUserInput, NotStored
from catalogue.facts import ModelFacts
from catalogue.listing import Listing
from catalogue.ports.errors import StoreUnusable
from catalogue.vocabulary import (
    DataSource,
    HealthStatus,
    ModelStatus,
    ProviderErrorCode,
    RefreshOutcome,
)
from tests.polling.one_provider import DOWN, MANY, World, healthy, listed, world
from upstream.call_rate import Priority


async def held_back(one: World) -> str:
    """Have a list held back that lost 30 of 40 models; gives its id."""
    one.calls.list_answer = listed(*MANY)
    await one.refresh()
    one.calls.list_answer = listed(*MANY[:10])
    await one.refresh()
    assert one.health.quarantine is not None
    return one.health.quarantine.id


async def test_deciding_on_a_list_keeps_another_error(one: World) -> None:
    one.calls.list_answer = listed(*MANY)
    await one.refresh()
    one.calls.list_answer = listed()
    await one.refresh()
    assert one.health.quarantine is not None
    one.calls.list_answer = DOWN
    await one.refresh()
    await one.poller.resolve_quarantine(one.health.quarantine.id, accept=False)
    assert one.health.error is not None
    assert one.health.error.code is ProviderErrorCode.UNREACHABLE


async def test_a_suspicious_list_is_held_back_and_the_last_good_one_served(one: World) -> None:
    one.calls.list_answer = listed(*MANY)
    await one.refresh()
    one.calls.list_answer = listed(*MANY[:10])
    result = await one.coordinator.refresh(Priority.ADMIN)
    assert result.outcome is RefreshOutcome.QUARANTINED
    assert one.state.model_count == 40
    assert one.health.status is HealthStatus.HEALTHY
    quarantine = one.health.quarantine
    assert quarantine is not None
    assert (quarantine.reason, quarantine.removed) == ("The list lost 30 of 40 models.", 30)
    assert one.health.error is not None
    assert one.health.error.code is ProviderErrorCode.SUSPICIOUS
    await one.refresh()
    assert one.health.quarantine == quarantine, "the same list is not held back anew"


async def test_an_empty_first_list_is_held_back_and_the_packaged_one_stays_what_it_is(tmp_path: Path) -> None:
    known = [ModelFacts(id=f"openrouter/{name}", provider_id="openrouter", name=name) for name in MANY]
    packaged = Listing(provider_id="openrouter", models={facts.id: facts for facts in known})
    async with world(tmp_path, listing=packaged) as one:
        one.calls.list_answer = listed()
        assert (await one.coordinator.refresh(Priority.ADMIN)).outcome is RefreshOutcome.QUARANTINED
        assert (one.state.model_count, one.state.source) == (40, DataSource.BASELINE)
        one.calls.list_answer = listed("a/one")
        assert (await one.coordinator.refresh(Priority.ADMIN)).outcome is RefreshOutcome.UPDATED
        assert healthy(one)
        assert set(one.state.listing.models) == {"openrouter/a/one"}


async def test_an_accepted_list_is_served(one: World) -> None:
    await one.poller.resolve_quarantine(await held_back(one), accept=True)
    assert one.state.model_count == 10
    assert healthy(one)


async def test_a_list_that_was_held_back_for_long_is_as_fresh_as_it_was_last_seen(one: World) -> None:
    held = await held_back(one)
    one.clock.advance(6 * 3600)
    await one.refresh()
    one.clock.advance(60)
    await one.poller.resolve_quarantine(held, accept=True)
    model = one.snapshot.model(f"openrouter/{MANY[0]}")
    assert model is not None
    assert (model.status, model.source) == (ModelStatus.AVAILABLE, DataSource.LIVE)
    assert one.clock.now() - model.source_as_of == timedelta(seconds=60)


async def test_the_list_before_an_accepted_one_is_news_when_it_comes_back(one: World) -> None:
    await one.poller.resolve_quarantine(await held_back(one), accept=True)
    one.calls.list_answer = listed(*MANY)
    result = await one.coordinator.refresh(Priority.ADMIN)
    assert (result.outcome, one.state.model_count) == (RefreshOutcome.UPDATED, 40)


async def test_a_discarded_list_is_not_held_back_again_and_the_reason_stays_visible(one: World) -> None:
    id_ = await held_back(one)
    await one.poller.resolve_quarantine(id_, accept=False)
    result = await one.coordinator.refresh(Priority.ADMIN)
    assert result.outcome is RefreshOutcome.KEPT_LAST_GOOD
    assert one.health.quarantine is None
    assert one.health.error is not None
    assert "discarded" in one.health.error.message
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


@pytest.mark.parametrize("accept", [True, False])
async def test_a_decision_that_cannot_be_stored_is_not_made_and_says_so(
    one: World, monkeypatch: pytest.MonkeyPatch, *, accept: bool
) -> None:
    id_ = await held_back(one)
    before = one.health
    with monkeypatch.context() as disk, capture_logs():
        for method in ("commit", "hold"):
            disk.setattr(one.store, method, AsyncMock(side_effect=StoreUnusable("The data folder is full.")))
        with pytest.raises(NotStored, match="full"):
            await one.poller.resolve_quarantine(id_, accept=accept)
    assert (one.health.quarantine, one.health.error) == (before.quarantine, before.error)
    await one.poller.resolve_quarantine(id_, accept=accept)
    assert one.health.quarantine is None
    assert one.state.model_count == (10 if accept else 40)

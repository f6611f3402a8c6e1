"""Where a provider stands before it was asked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from catalogue.facts import ModelFacts
from catalogue.health import Health, Problem, Problems, Quarantine
from catalogue.listing import Listing, merged
from catalogue.ports.revisions import Held, Stored, StoredListing
from catalogue.position import Epoch, Timeline
from catalogue.provider import ProviderState
from catalogue.status import AVAILABLE
from catalogue.vocabulary import BreakerState, DataSource, HealthStatus, ModelStatus, ProviderErrorCode
from polling.cold_start import cold_state, published_state
from providers._kit.registry import adapters
from upstream.upstream import Upstream

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TTL = timedelta(seconds=600)
AGO = NOW - timedelta(hours=1)
UPSTREAM = Upstream(id="openrouter", name="OpenRouter", adapter=adapters()["openrouter"], base_url="https://up.test/v1")
PROBLEM = Problem(code=ProviderErrorCode.UNREACHABLE, message="No connection.", retryable=True, at=AGO)
ROWS = [ModelFacts(id="openrouter/a", provider_id="openrouter", name="A")]


def listed(at: datetime) -> StoredListing:
    return StoredListing(listing=merged(Listing(provider_id="openrouter"), ROWS, at=at), as_of=at)


def health(status: HealthStatus) -> Health:
    return Health(
        provider_id="openrouter",
        status=status,
        since=AGO,
        last_checked=AGO,
        consecutive_failures=5,
        breaker=BreakerState.OPEN,
        problems=Problems(call=PROBLEM),
    )


def start(
    stood: Health | None = None,
    *,
    listing: StoredListing | None = None,
    upstream: Upstream = UPSTREAM,
    held: Held | None = None,
) -> ProviderState:
    stored = Stored(
        timeline=Timeline((Epoch("00", 1),)),
        revision=1,
        seq=0,
        updated_at=AGO,
        listings={"openrouter": listing} if listing else {},
        healths=MappingProxyType({"openrouter": stood} if stood else {}),
        held=MappingProxyType({"openrouter": held} if held else {}),
    )
    known = published_state(upstream, stored, list_ttl=TTL, now=NOW)
    return cold_state(upstream, stored, known, now=NOW)


def test_a_provider_that_was_down_at_the_stop_is_down_until_it_answers() -> None:
    state = start(health(HealthStatus.DOWN), listing=listed(NOW))
    assert (state.health.status, state.health.since, state.health.error) == (HealthStatus.DOWN, AGO, PROBLEM)
    assert (state.health.breaker, state.health.consecutive_failures) == (BreakerState.HALF_OPEN, 5)
    assert {state.statuses.of(id_).status for id_ in state.listing.models} == {ModelStatus.UNAVAILABLE}


def test_a_provider_that_was_degraded_at_the_stop_is_degraded_until_it_answers() -> None:
    state = start(health(HealthStatus.DEGRADED), listing=listed(NOW))
    assert (state.health.status, state.health.since, state.health.error) == (HealthStatus.DEGRADED, AGO, PROBLEM)
    assert (state.health.breaker, state.health.consecutive_failures) == (BreakerState.CLOSED, 5)
    assert {state.statuses.of(id_).status for id_ in state.listing.models} == {ModelStatus.LIMITED}


def test_a_provider_that_was_healthy_is_so_while_its_list_is_fresh() -> None:
    as_of = NOW - 2 * TTL
    state = start(health(HealthStatus.HEALTHY), listing=listed(as_of))
    assert (state.health.status, state.health.since, state.health.error) == (HealthStatus.HEALTHY, AGO, None)
    assert state.health.last_checked == as_of
    assert state.statuses.common is AVAILABLE
    assert state.source is DataSource.LAST_GOOD


@pytest.mark.parametrize("listing", [listed(NOW - 2 * TTL - timedelta(seconds=1)), None], ids=["stale", "none"])
def test_a_provider_that_was_healthy_long_ago_is_unknown(listing: StoredListing | None) -> None:
    state = start(health(HealthStatus.HEALTHY), listing=listing)
    assert state.health == Health(provider_id="openrouter")
    assert {state.statuses.of(id_).status for id_ in state.listing.models} == {ModelStatus.LIMITED}


def test_a_provider_that_was_never_asked_is_unknown() -> None:
    assert start().health == Health(provider_id="openrouter")


@pytest.mark.parametrize("status", HealthStatus)
def test_a_provider_without_a_key_is_unknown_whatever_it_was(status: HealthStatus) -> None:
    upstream = replace(UPSTREAM, adapter=replace(UPSTREAM.adapter, needs_key=True))
    state = start(health(status), listing=listed(NOW), upstream=upstream)
    assert state.health.status is HealthStatus.UNKNOWN
    assert state.health.error is not None
    assert state.health.error.code is ProviderErrorCode.UNCONFIGURED


@pytest.mark.parametrize("discarded", [False, True])
def test_a_list_that_is_held_back_or_was_discarded_is_told_from_the_start(discarded: bool) -> None:  # noqa: FBT001 - a parameter of the test
    quarantine = Quarantine(
        id="q1", provider_id="openrouter", reason="Empty.", at=AGO, model_count=0, added=0, removed=1, repriced=0
    )
    held = Held(quarantine, listed(AGO).listing, AGO, discarded=discarded)
    state = start(health(HealthStatus.HEALTHY), listing=listed(NOW), held=held)
    assert state.health.status is HealthStatus.HEALTHY
    assert state.health.error is not None
    assert state.health.error.code is ProviderErrorCode.SUSPICIOUS
    assert state.health.quarantine == (None if discarded else quarantine)


def test_what_the_store_says_of_a_time_to_come_is_of_now() -> None:
    ahead = NOW + timedelta(days=1)
    said = replace(
        health(HealthStatus.DOWN), since=ahead, last_checked=ahead, problems=Problems(call=replace(PROBLEM, at=ahead))
    )
    state = start(said, listing=listed(ahead))
    assert state.as_of == NOW
    assert (state.health.since, state.health.last_checked) == (NOW, NOW)
    assert state.health.error is not None
    assert state.health.error.at == NOW


def test_rows_that_were_left_out_of_the_list_are_told_with_it() -> None:
    stood = replace(health(HealthStatus.HEALTHY), problems=Problems(), dropped_rows=9)
    started = start(stood, listing=listed(NOW)).health
    assert started.error is not None
    assert (started.dropped_rows, started.error.message[:6]) == (9, "9 rows")

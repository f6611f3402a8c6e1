"""Where a provider stands before it was asked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from catalogue.facts import ModelFacts
from catalogue.health import Problem, Quarantine, Standing
from catalogue.listing import Listing, merged
from catalogue.ports.store import Held, Stored
from catalogue.snapshot import ProviderState
from catalogue.vocabulary import BreakerState, DataSource, HealthStatus, ModelStatus, ProviderErrorCode
from polling.cold_start import cold_state
from providers._kit.registry import adapters
from upstream.upstream import Upstream

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TTL = timedelta(seconds=600)
AGO = NOW - timedelta(hours=1)
UPSTREAM = Upstream(id="openrouter", name="OpenRouter", adapter=adapters()["openrouter"], base_url="https://up.test/v1")
PROBLEM = Problem(code=ProviderErrorCode.UNREACHABLE, message="No connection.", retryable=True, at=AGO)
ROWS = [ModelFacts(id="openrouter/a", provider_id="openrouter", name="A")]


def listed(at: datetime) -> Listing:
    return merged(Listing(provider_id="openrouter"), ROWS, at=at)


def standing(status: HealthStatus) -> Standing:
    return Standing(
        provider_id="openrouter",
        status=status,
        since=AGO,
        last_checked=AGO,
        consecutive_failures=5,
        breaker=BreakerState.OPEN,
        error=PROBLEM,
    )


def start(
    stood: Standing | None = None,
    *,
    listing: Listing | None = None,
    upstream: Upstream = UPSTREAM,
    held: Held | None = None,
) -> ProviderState:
    stored = Stored(
        epoch="00",
        revision=1,
        seq=0,
        updated_at=AGO,
        listings={"openrouter": listing} if listing else {},
        standings=MappingProxyType({"openrouter": stood} if stood else {}),
        held=MappingProxyType({"openrouter": held} if held else {}),
    )
    return cold_state(upstream, stored, list_ttl=TTL, now=NOW).judged(NOW)


def test_a_provider_that_was_down_at_the_stop_is_down_until_it_answers() -> None:
    state = start(standing(HealthStatus.DOWN), listing=listed(NOW))
    assert (state.standing.status, state.standing.since, state.standing.error) == (HealthStatus.DOWN, AGO, PROBLEM)
    assert (state.standing.breaker, state.standing.consecutive_failures) == (BreakerState.HALF_OPEN, 5)
    assert {verdict.status for verdict in state.verdicts.values()} == {ModelStatus.UNAVAILABLE}


def test_a_provider_that_was_degraded_at_the_stop_is_degraded_until_it_answers() -> None:
    state = start(standing(HealthStatus.DEGRADED), listing=listed(NOW))
    assert (state.standing.status, state.standing.since, state.standing.error) == (HealthStatus.DEGRADED, AGO, PROBLEM)
    assert (state.standing.breaker, state.standing.consecutive_failures) == (BreakerState.CLOSED, 5)
    assert {verdict.status for verdict in state.verdicts.values()} == {ModelStatus.LIMITED}


def test_a_provider_that_was_healthy_is_so_while_its_list_is_fresh() -> None:
    as_of = NOW - 2 * TTL
    state = start(standing(HealthStatus.HEALTHY), listing=listed(as_of))
    assert (state.standing.status, state.standing.since, state.standing.error) == (HealthStatus.HEALTHY, AGO, None)
    assert state.standing.last_checked == as_of
    assert state.verdicts == {}
    assert state.listing.source is DataSource.LAST_GOOD


@pytest.mark.parametrize("listing", [listed(NOW - 2 * TTL - timedelta(seconds=1)), None], ids=["stale", "none"])
def test_a_provider_that_was_healthy_long_ago_is_unknown(listing: Listing | None) -> None:
    state = start(standing(HealthStatus.HEALTHY), listing=listing)
    assert state.standing == Standing(provider_id="openrouter")
    assert {verdict.status for verdict in state.verdicts.values()} == {ModelStatus.LIMITED}


def test_a_provider_that_was_never_asked_is_unknown() -> None:
    assert start().standing == Standing(provider_id="openrouter")


@pytest.mark.parametrize("status", HealthStatus)
def test_a_provider_without_a_key_is_unknown_whatever_it_was(status: HealthStatus) -> None:
    upstream = replace(UPSTREAM, adapter=replace(UPSTREAM.adapter, needs_key=True))
    state = start(standing(status), listing=listed(NOW), upstream=upstream)
    assert state.standing.status is HealthStatus.UNKNOWN
    assert state.standing.error is not None
    assert state.standing.error.code is ProviderErrorCode.UNCONFIGURED


@pytest.mark.parametrize("discarded", [False, True])
def test_a_list_that_is_held_back_or_was_discarded_is_told_from_the_start(discarded: bool) -> None:  # noqa: FBT001 - a parameter of the test
    quarantine = Quarantine(
        id="q1", provider_id="openrouter", reason="Empty.", at=AGO, model_count=0, added=0, removed=1, repriced=0
    )
    held = Held(quarantine, listed(AGO), discarded=discarded)
    state = start(standing(HealthStatus.HEALTHY), listing=listed(NOW), held=held)
    assert state.standing.status is HealthStatus.HEALTHY
    assert state.standing.error is not None
    assert state.standing.error.code is ProviderErrorCode.SUSPICIOUS
    assert state.standing.quarantine == (None if discarded else quarantine)


def test_what_the_store_says_of_a_time_to_come_is_of_now() -> None:
    ahead = NOW + timedelta(days=1)
    said = replace(standing(HealthStatus.DOWN), since=ahead, last_checked=ahead, error=replace(PROBLEM, at=ahead))
    state = start(said, listing=listed(ahead))
    assert state.listing.as_of == NOW
    assert (state.standing.since, state.standing.last_checked) == (NOW, NOW)
    assert state.standing.error is not None
    assert state.standing.error.at == NOW


def test_rows_that_were_left_out_of_the_list_are_told_with_it() -> None:
    stood = replace(standing(HealthStatus.HEALTHY), error=None, dropped_rows=9)
    started = start(stood, listing=listed(NOW)).standing
    assert started.error is not None
    assert (started.dropped_rows, started.error.message[:6]) == (9, "9 rows")

"""Where a provider stands before it was asked."""

from datetime import UTC, datetime, timedelta

from catalogue.history import Incident
from catalogue.ports import Stored
from catalogue.snapshot import ProviderState
from catalogue.vocabulary import HealthStatus, ModelStatus, ProviderErrorCode
from polling.cold_start import cold_state
from providers._kit.registry import adapters
from providers._kit.upstream import Upstream

NOW = datetime(2026, 6, 1, tzinfo=UTC)
UPSTREAM = Upstream(id="openrouter", name="OpenRouter", adapter=adapters()["openrouter"], base_url="https://up.test/v1")


def start(incident: Incident | None) -> ProviderState:
    nothing = Stored(epoch="00", revision=0, seq=0, updated_at=None, listings={}, quarantines={})
    return cold_state(UPSTREAM, nothing, list_ttl=timedelta(seconds=600), now=NOW, incident=incident).judged(NOW)


def incident(ended_at: datetime | None) -> Incident:
    return Incident(
        id="1",
        provider_id="openrouter",
        started_at=NOW - timedelta(hours=1),
        ended_at=ended_at,
        code=ProviderErrorCode.UNREACHABLE,
        message="No connection.",
    )


def test_a_provider_that_was_down_at_the_stop_is_down_until_it_answers() -> None:
    state = start(incident(None))
    assert (state.standing.status, state.standing.since) == (HealthStatus.DOWN, NOW - timedelta(hours=1))
    assert {verdict.status for verdict in state.verdicts.values()} == {ModelStatus.UNAVAILABLE}


def test_an_incident_that_is_over_says_nothing_of_now() -> None:
    assert start(incident(NOW)).standing.status is HealthStatus.UNKNOWN

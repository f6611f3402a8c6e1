"""What a provider's state is before it was asked: its last good list, else the packaged baseline, else nothing yet."""

from dataclasses import replace
from datetime import datetime, timedelta

from catalogue.health import FAILURES_TO_DOWN, Problem, Standing
from catalogue.history import Incident
from catalogue.listing import Listing
from catalogue.ports import Stored
from catalogue.snapshot import ProviderState
from catalogue.vocabulary import BreakerState, DataSource, HealthStatus, ProviderErrorCode
from polling.quarantine import Held
from providers._kit.baseline import baseline
from providers._kit.upstream import Upstream


def cold_state(
    upstream: Upstream, stored: Stored, *, list_ttl: timedelta, now: datetime, incident: Incident | None = None
) -> ProviderState:
    """The state to serve from the first moment on; a provider whose incident still lasts is down until it answers."""
    held = stored.quarantines.get(upstream.id)
    if incident is not None and incident.ended_at is None and upstream.configured:
        standing = _down(incident)
    else:
        error = None if upstream.configured else _unconfigured(upstream, now)
        standing = Standing(provider_id=upstream.id, error=error)
    return ProviderState(
        profile=upstream.profile(list_ttl),
        listing=_listing(upstream, stored.listings.get(upstream.id)),
        standing=replace(standing, quarantine=held[0] if held else None),
    )


def held_back(upstream: Upstream, stored: Stored) -> Held | None:
    """The list that still waits for an admin's decision."""
    held = stored.quarantines.get(upstream.id)
    return Held(*held) if held else None


def _listing(upstream: Upstream, stored: Listing | None) -> Listing:
    if stored is not None and stored.is_reference:
        return replace(stored, source=DataSource.LAST_GOOD)
    return baseline(upstream)


def _unconfigured(upstream: Upstream, now: datetime) -> Problem:
    names = " or ".join(upstream.adapter.key_env) or "api_key_env in its configuration"
    message = f"{upstream.name} needs a key; set {names} where the server runs."
    return Problem(code=ProviderErrorCode.UNCONFIGURED, message=message, retryable=False, at=now)


def _down(incident: Incident) -> Standing:
    problem = Problem(code=incident.code, message=incident.message, retryable=True, at=incident.started_at)
    return Standing(
        provider_id=incident.provider_id,
        status=HealthStatus.DOWN,
        since=incident.started_at,
        breaker=BreakerState.HALF_OPEN,
        consecutive_failures=FAILURES_TO_DOWN,
        error=problem,
    )

"""What a provider's state is before it was asked: its last good list, else the packaged baseline, else nothing yet."""

from dataclasses import replace
from datetime import datetime, timedelta

from catalogue.health import FAILURES_TO_DOWN, Standing
from catalogue.listing import Listing
from catalogue.ports.store import Held, Stored
from catalogue.snapshot import ProviderState
from catalogue.vocabulary import BreakerState, DataSource, HealthStatus
from upstream import problems
from upstream.baseline import baseline
from upstream.upstream import Upstream


def stored_state(upstream: Upstream, stored: Stored, *, list_ttl: timedelta) -> ProviderState:
    """The state that followers were told of last."""
    return ProviderState(
        profile=upstream.profile(list_ttl),
        listing=_listing(upstream, stored.listings.get(upstream.id)),
        standing=stored.standings.get(upstream.id) or Standing(provider_id=upstream.id),
    )


def cold_state(upstream: Upstream, stored: Stored, *, list_ttl: timedelta, now: datetime) -> ProviderState:
    """The state to serve from the first moment on; where it differs from the stored one, followers are to be told.

    What the store says of a time to come, for the clock was ahead then, is taken to be of now.
    """
    state = stored_state(upstream, stored, list_ttl=list_ttl)
    listing = replace(state.listing, as_of=_past(state.listing.as_of, now))
    standing = _standing(upstream, state.standing, listing, list_ttl=list_ttl, now=now)
    held = held_back(upstream, stored)
    if held is not None:
        standing = replace(
            standing,
            quarantine=None if held.discarded else held.quarantine,
            error=standing.error or problems.of_held(held, at=now),
        )
    return replace(state, listing=listing, standing=standing)


def held_back(upstream: Upstream, stored: Stored) -> Held | None:
    """The list that still waits for an admin's decision, or that was discarded."""
    return stored.held.get(upstream.id)


def _listing(upstream: Upstream, stored: Listing | None) -> Listing:
    if stored is not None and stored.is_reference:
        return replace(stored, source=DataSource.LAST_GOOD)
    return baseline(upstream)


def _standing(
    upstream: Upstream, before: Standing, listing: Listing, *, list_ttl: timedelta, now: datetime
) -> Standing:
    """A provider that was ill is ill until it answers; one that was well is well for as long as its list is fresh."""
    unknown = Standing(provider_id=upstream.id)
    if not upstream.configured:
        return replace(unknown, error=problems.unconfigured(upstream, at=now))
    ill = replace(
        unknown,
        status=before.status,
        since=_past(before.since, now),
        last_checked=_past(before.last_checked, now),
        last_success_at=_past(before.last_success_at, now),
        error=replace(before.error, at=min(before.error.at, now)) if before.error else None,
        dropped_rows=before.dropped_rows,
    )
    match before.status:
        case HealthStatus.DOWN:
            failures = max(before.consecutive_failures, FAILURES_TO_DOWN)
            return replace(ill, breaker=BreakerState.HALF_OPEN, consecutive_failures=failures)
        case HealthStatus.DEGRADED:
            return replace(ill, consecutive_failures=before.consecutive_failures)
        case HealthStatus.HEALTHY if listing.as_of is not None and now - listing.as_of <= 2 * list_ttl:
            dropped = problems.of_dropped(before.dropped_rows, at=listing.as_of) if before.dropped_rows else None
            return replace(ill, error=dropped, last_checked=listing.as_of, last_success_at=listing.as_of)
    return unknown


def _past(at: datetime | None, now: datetime) -> datetime | None:
    return None if at is None else min(at, now)

"""A provider's state before its first call: its last good list, else the packaged baseline, else empty."""

from dataclasses import replace
from datetime import datetime, timedelta

from catalogue.health import FAILURES_TO_DOWN, Health, Problems
from catalogue.ports.revisions import Stored, StoredListing
from catalogue.provider import ProviderState, provider_state
from catalogue.vocabulary import BreakerState, HealthStatus
from upstream import problems
from upstream.baseline import baseline
from upstream.upstream import Upstream


def published_state(upstream: Upstream, stored: Stored, *, list_ttl: timedelta, now: datetime) -> ProviderState:
    """The state that followers know."""
    kept = stored.listings.get(upstream.id)
    listed = kept if kept is not None and kept.listing.is_reference else baseline(upstream)
    return provider_state(
        upstream.profile(list_ttl),
        listed.listing,
        stored.healths.get(upstream.id) or Health(provider_id=upstream.id),
        as_of=listed.as_of,
        now=stored.published.get(upstream.id, now),
    )


def cold_state(upstream: Upstream, stored: Stored, published: ProviderState, *, now: datetime) -> ProviderState:
    """The state to serve from the first moment on.

    A stored moment in the future, because the clock was wrong then, counts as now.
    """
    as_of = _past(published.as_of, now)
    list_ttl = published.profile.list_ttl
    listed = StoredListing(listing=published.listing, as_of=as_of)
    health = _health(upstream, published.health, listed, list_ttl=list_ttl, now=now)
    held = stored.held.get(upstream.id)
    if held is not None:
        known = replace(health.problems, held=problems.of_held(held, at=now))
        health = replace(health, quarantine=None if held.discarded else held.quarantine, problems=known)
    return provider_state(published.profile, published.listing, health, as_of=as_of, now=now)


def _health(upstream: Upstream, before: Health, listed: StoredListing, *, list_ttl: timedelta, now: datetime) -> Health:
    """A provider that was ill stays ill until it answers; one that was well stays well while its list is fresh."""
    unknown = Health(provider_id=upstream.id)
    if not upstream.configured:
        return replace(unknown, problems=Problems(ours=problems.unconfigured(upstream, at=now)))
    error, as_of = before.error, listed.as_of
    ill = replace(
        unknown,
        status=before.status,
        since=_past(before.since, now),
        last_checked=_past(before.last_checked, now),
        last_success_at=_past(before.last_success_at, now),
        problems=Problems(call=replace(error, at=min(error.at, now)) if error else None),
        dropped_rows=before.dropped_rows,
    )
    match before.status:
        case HealthStatus.DOWN:
            failures = max(before.consecutive_failures, FAILURES_TO_DOWN)
            return replace(ill, breaker=BreakerState.HALF_OPEN, consecutive_failures=failures)
        case HealthStatus.DEGRADED:
            return replace(ill, consecutive_failures=before.consecutive_failures)
        case HealthStatus.HEALTHY if as_of is not None and now - as_of <= 2 * list_ttl:
            dropped = problems.of_dropped(before.dropped_rows, at=as_of) if before.dropped_rows else None
            return replace(ill, problems=Problems(dropped=dropped), last_checked=as_of, last_success_at=as_of)
    return unknown


def _past(at: datetime | None, now: datetime) -> datetime | None:
    return None if at is None else min(at, now)

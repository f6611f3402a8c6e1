"""What a provider's state is before it was asked: its last good list, else the packaged baseline, else nothing yet."""

from dataclasses import replace
from datetime import datetime, timedelta

from catalogue.health import Problem, Standing
from catalogue.listing import Listing
from catalogue.ports import Stored
from catalogue.snapshot import ProviderState
from catalogue.vocabulary import DataSource, ProviderErrorCode
from polling.quarantine import Held
from providers._kit.baseline import baseline
from providers._kit.upstream import Upstream


def cold_state(upstream: Upstream, stored: Stored, *, list_ttl: timedelta, now: datetime) -> ProviderState:
    """The state to serve from the first moment on."""
    held = stored.quarantines.get(upstream.id)
    return ProviderState(
        profile=upstream.profile(list_ttl),
        listing=_listing(upstream, stored.listings.get(upstream.id)),
        standing=Standing(
            provider_id=upstream.id,
            error=None if upstream.configured else _unconfigured(upstream, now),
            quarantine=held[0] if held else None,
        ),
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

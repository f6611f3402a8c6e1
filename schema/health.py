"""A provider's health: how it stands now, and how it did over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Annotated

import strawberry

from catalogue import history
from catalogue.health import Standing
from catalogue.snapshot import ProviderState
from catalogue.vocabulary import BreakerState, HealthStatus, ProviderErrorCode, UptimeWindow
from schema.arguments import Window
from schema.context import Info
from schema.policy import POLICY, Policy, Reads, default_reads

_MOST_BUCKETS = max(span // width for span, width in history.WINDOWS.values())


@dataclass(frozen=True, slots=True)
class HealthView:
    """A provider's standing with the size of its list: what `ProviderHealth` is read from."""

    standing: Standing
    model_count: int

    status = property(attrgetter("standing.status"))
    last_checked = property(attrgetter("standing.last_checked"))
    last_success_at = property(attrgetter("standing.last_success_at"))
    latency_ms = property(attrgetter("standing.latency_ms"))
    consecutive_failures = property(attrgetter("standing.consecutive_failures"))
    breaker = property(attrgetter("standing.breaker"))
    dropped_rows = property(attrgetter("standing.dropped_rows"))
    error = property(attrgetter("standing.error"))
    quarantine = property(attrgetter("standing.quarantine"))


def _provider(root: strawberry.Parent[HealthView], info: Info) -> ProviderState:
    return info.context.provider(root.standing.provider_id)


def _next_check_at(root: strawberry.Parent[HealthView], info: Info) -> datetime | None:
    planned = root.standing.next_check_at
    # One that has passed is being done now, or was planned in a change of long ago.
    return planned if planned is not None and planned > info.context.now() else None


async def _uptime(root: strawberry.Parent[HealthView], info: Info, window: Window = UptimeWindow.DAY) -> float | None:
    return history.uptime(await info.context.health(root.standing.provider_id, window))


async def _history(
    root: strawberry.Parent[HealthView], info: Info, window: Window = UptimeWindow.DAY
) -> Sequence[history.HealthBucket]:
    return await info.context.health(root.standing.provider_id, window)


@default_reads(Reads.HEALTH)
@strawberry.type(description="What is wrong with a provider, in words that may be shown to anyone.")
class ProviderError:
    """A `Problem` of the catalogue."""

    code: ProviderErrorCode = strawberry.field(description="What can be done about it.")
    message: str = strawberry.field(description="What happened, for a person.")
    retryable: bool = strawberry.field(description="Whether trying again may help.")
    at: datetime = strawberry.field(description="When it happened.")


@default_reads(Reads.HEALTH)
@strawberry.type(description="A suspicious list that is held back until an admin accepts or discards it.")
class Quarantine:
    """A `Quarantine` of the catalogue."""

    id: strawberry.ID = strawberry.field(description="Names this list for resolveQuarantine.")
    reason: str = strawberry.field(description="Why it is held back.")
    at: datetime = strawberry.field(description="When it was read.")
    model_count: int = strawberry.field(description="How many models it has.")
    added: int = strawberry.field(description="How many models it would add.")
    removed: int = strawberry.field(description="How many models it would remove.")
    repriced: int = strawberry.field(description="How many prices it would move tenfold, to zero or away.")
    sample: list[str] = strawberry.field(description="A few lines that say what it would change.")


@default_reads(Reads.STORE | Reads.CLOCK)
@strawberry.type(description="The checks of one span of time.")
class HealthBucket:
    """A `HealthBucket` of the catalogue."""

    start: datetime = strawberry.field(description="When the span begins.")
    end: datetime = strawberry.field(description="When the span ends.")
    checks: int = strawberry.field(description="How many calls said something about the provider's health.")
    failures: int = strawberry.field(description="How many of them failed.")
    latency_ms: float | None = strawberry.field(
        description="The mean time of the answered calls, in milliseconds; null when none was."
    )
    uptime: float | None = strawberry.field(
        description="The share of the known time in which it answered, 0..1; null when there is no data."
    )


@default_reads(Reads.HEALTH)
@strawberry.type(description="How a provider answers, now and over time.")
class ProviderHealth:
    """A `HealthView`."""

    provider: Annotated["Provider", strawberry.lazy("schema.provider")] = strawberry.field(  # type: ignore[name-defined] # noqa: F821 - the two types know each other
        resolver=_provider, description="The provider.", metadata={POLICY: Policy(Reads.REVISION)}
    )
    status: HealthStatus = strawberry.field(description="How it answers; UNKNOWN until it was asked.")
    last_checked: datetime | None = strawberry.field(description="When it was last asked.")
    last_success_at: datetime | None = strawberry.field(description="When it last answered.")
    latency_ms: float | None = strawberry.field(
        description="How long the last answered call took, in milliseconds, from request to end of body."
    )
    uptime: float | None = strawberry.field(
        resolver=_uptime,
        metadata={POLICY: Policy(Reads.STORE | Reads.CLOCK, weight=1)},
        description="The share of the known time in which it answered, 0..1; null when there is no data.",
    )
    history = strawberry.field(
        resolver=_history,
        graphql_type=list[HealthBucket],
        description="The checks over time in buckets, oldest first, empty ones included.",
        metadata={POLICY: Policy(Reads.STORE | Reads.CLOCK, rows=_MOST_BUCKETS)},
    )
    consecutive_failures: int = strawberry.field(description="How many checks in a row have failed.")
    breaker: BreakerState = strawberry.field(description="Whether calls to it pass.")
    model_count: int = strawberry.field(
        description="How many models it lists.", metadata={POLICY: Policy(Reads.REVISION)}
    )
    dropped_rows: int = strawberry.field(description="How many rows of its last list could not be read.")
    error: ProviderError | None = strawberry.field(description="What is wrong with it, if anything.")
    next_check_at: datetime | None = strawberry.field(
        resolver=_next_check_at,
        description="When it is asked next.",
        metadata={POLICY: Policy(Reads.HEALTH | Reads.CLOCK)},
    )
    quarantine: Quarantine | None = strawberry.field(description="The list that is held back, if there is one.")

"""The health of a provider, now and over time."""

from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from catalogue import history
from catalogue.change import ProviderHealthChanged
from catalogue.provider import ProviderState
from catalogue.vocabulary import BreakerState, HealthStatus, ProviderErrorCode, UptimeWindow
from schema.arguments import Window
from schema.context import Info
from schema.declaration import attribute, field, output, resolved
from schema.policy import Policy, Reads

_MOST_BUCKETS = max(span // width for span, width in history.WINDOWS.values())

Root = strawberry.Parent[ProviderState | ProviderHealthChanged]


@output(Reads.HEALTH)
class ProviderError:
    """A problem with a provider."""

    code: ProviderErrorCode = field("A machine-readable error code.")
    message: str = field("A description of the problem, for display. Contains no secrets.")
    retryable: bool = field("Whether trying again may help.")
    at: datetime = field("The time at which the problem occurred.")


@output(Reads.HEALTH)
class Quarantine:
    """A suspicious list that is not used until an admin accepts it."""

    id: strawberry.ID = field("The id to pass to `resolveQuarantine`.")
    reason: str = field("An explanation of why the list is suspicious, for display.")
    at: datetime = field("The time at which the list was read.")
    model_count: int = field("The number of models in the list.")
    added: int = field("The number of models that the list would add.")
    removed: int = field("The number of models that the list would remove.")
    repriced: int = field("The number of models with a price that would change tenfold, fall to zero or vanish.")
    sample: list[str] = field("Some of the changes that the list would make, one per entry, for display.")


@output(Reads.STORE | Reads.CLOCK)
class HealthBucket:
    """The calls to a provider within a period of time."""

    start: datetime = field("The start of the period.")
    end: datetime = field("The end of the period.")
    checks: int = field("The number of calls.")
    failures: int = field("The number of failed calls.")
    latency_ms: float | None = field(
        "The mean duration of the successful calls, in milliseconds. Null if there are none."
    )
    uptime: float | None = field("The uptime within the period, from 0 to 1. Null if there is no data.")


@output(Reads.HEALTH)
class ProviderHealth:
    """The health of a provider, now and over time."""

    @resolved(Annotated["Provider", strawberry.lazy("schema.provider")], Policy(Reads.REVISION))  # noqa: F821 - the types refer to each other
    @staticmethod
    def provider(root: Root, info: Info) -> ProviderState:
        """The provider."""
        return info.context.provider(root.health.provider_id)

    status = attribute("health.status", HealthStatus, "The health status.")
    last_checked = attribute(
        "health.last_checked", datetime | None, "The time of the latest call. Null before the first call."
    )
    last_success_at = attribute(
        "health.last_success_at", datetime | None, "The time of the latest successful call. Null before the first one."
    )
    latency_ms = attribute(
        "health.latency_ms",
        float | None,
        "The duration of the latest successful call, in milliseconds, until the end of the response body. "
        "Null before the first one.",
    )

    @resolved(float | None, Policy(Reads.STORE | Reads.CLOCK, weight=1))
    @staticmethod
    async def uptime(root: Root, info: Info, window: Window = UptimeWindow.DAY) -> float | None:
        """The fraction of the observed time in which the provider was up, from 0 to 1. Null if there is no data."""
        return history.uptime(await info.context.health(root.health.provider_id, window))

    consecutive_failures = attribute("health.consecutive_failures", int, "The number of failed calls in a row.")
    breaker = attribute("health.breaker", BreakerState, "The state of the circuit breaker.")
    model_count: int = field("The number of models in the provider's latest list.", Policy(Reads.REVISION))
    dropped_rows = attribute("health.dropped_rows", int, "The number of unreadable rows in the latest list.")
    error = attribute(
        "health.error", ProviderError | None, "The most severe problem with the provider. Null if there is none."
    )

    @resolved(datetime | None, Policy(Reads.HEALTH | Reads.CLOCK))
    @staticmethod
    def next_check_at(root: Root, info: Info) -> datetime | None:
        """The planned time of the next call. Null if no call is planned, or while one is due or in progress."""
        planned = root.health.next_check_at
        # A time that has passed belongs to a call in progress, or to a change of long ago.
        return planned if planned is not None and planned > info.context.now() else None

    quarantine = attribute(
        "health.quarantine", Quarantine | None, "The list that waits for an admin's decision. Null if there is none."
    )

    @resolved(list[HealthBucket], Policy(Reads.STORE | Reads.CLOCK, rows=_MOST_BUCKETS))
    @staticmethod
    def history(root: Root, info: Info, window: Window = UptimeWindow.DAY) -> Awaitable[Sequence[history.HealthBucket]]:
        """The health over time in equal buckets, oldest first. Buckets without calls are included."""
        return info.context.health(root.health.provider_id, window)

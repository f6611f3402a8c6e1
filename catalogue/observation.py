"""Observations of a provider: the closed union of values that move its state."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from catalogue.health import Problem, Quarantine
from catalogue.listing import Listing

if TYPE_CHECKING:
    from catalogue.provider import ProviderState


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The next scheduled calls of a provider."""

    list_at: datetime
    probe_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Observed:
    plan: Plan | None = None
    """The schedule after it; null leaves the next check as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeStarted(_Observed):
    """The one call of an open breaker is under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Called(_Observed):
    key: Problem | None = None
    """The problem with the server's key, if any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTaken(_Called):
    """A good list came."""

    listing: Listing
    """With the list merged in: the same object where nothing differs."""
    latency_ms: float
    dropped: int | None = None
    """The number of rows that could not be read; null for the list that was taken last."""
    problem: Problem | None = None
    """The problem shown to readers if rows could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack(_Called):
    """A suspicious list came, which is not served."""

    quarantine: Quarantine | None
    """Null for a list that an admin discarded before."""
    problem: Problem
    latency_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFailed(_Called):
    """The list could not be read."""

    problem: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(_Called):
    """A probe was answered."""

    latency_ms: float
    check: Problem | None = None
    """The problem with the health check, if only the list answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFailed(_Called):
    """A probe failed."""

    problem: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulted(_Observed):
    """Something broke in this server; the provider is not at fault."""

    problem: Problem
    of_list: bool
    """Whether it broke while a list was read, or while a probe was made."""
    lasts: bool
    """Whether the problem is shown until a list is taken, or only until the next answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided(_Observed):
    """An admin accepted or discarded the held-back list."""

    listing: Listing | None = None
    """The accepted list; null for a discarded one."""
    as_of: datetime | None = None
    """When the accepted list last came."""
    problem: Problem | None = None
    """The problem shown to readers after a list was discarded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored(_Observed):
    """The server started from its stored state."""

    state: "ProviderState"


Observation = ProbeStarted | ListTaken | HeldBack | ListFailed | Answered | CallFailed | Faulted | Decided | Restored

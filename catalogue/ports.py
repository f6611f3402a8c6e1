"""What the catalogue needs from others, as Protocols: who stores, who refreshes, who reads on demand."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import SecretStr

from catalogue.audit import AuditEntry
from catalogue.change import Change
from catalogue.endpoint import EndpointList
from catalogue.health import Quarantine, Standing
from catalogue.history import HealthBucket, Incident, Probe, Span
from catalogue.listing import Listing
from catalogue.refresh import ProviderRefresh, RefreshProgress
from catalogue.snapshot import ProviderState, Snapshot
from catalogue.vocabulary import KeyCheckOutcome, UptimeWindow


@dataclass(frozen=True, slots=True)
class Held:
    """A suspicious list and what accepting it would make of the provider's listing."""

    quarantine: Quarantine
    listing: Listing
    discarded: bool = False
    """Whether an admin rejected it; it is kept so that the same list coming again is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What a store holds when it is opened."""

    epoch: str
    """Names the log; made once with the store."""
    revision: int
    seq: int
    """The position of the last change."""
    updated_at: datetime | None
    listings: Mapping[str, Listing]
    held: Mapping[str, Held] = field(default_factory=dict)
    """Held-back and discarded lists by provider id."""
    standings: Mapping[str, Standing] = field(default_factory=dict)
    """By provider id, each as of the last change of its status; of every provider that the last run served."""
    told: Mapping[str, datetime] = field(default_factory=dict)
    """By provider id, the moment as of which followers know its state."""
    list_ttl: timedelta | None = None
    """For how long lists counted as fresh in the last run; null where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One revision, written whole or not at all."""

    revision: int
    at: datetime
    changes: Sequence[Change]
    """Numbered: the first follows the stored seq."""
    listing: Listing | None = None
    """The provider's new listing, where it changed."""
    standing: Standing | None = None
    """The provider's new standing, where its status changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """Changes after a position, oldest first."""

    changes: Sequence[Change]
    """None where the log is trimmed."""
    trimmed: bool
    """Whether the log no longer holds all that followed the position."""
    more: bool


class Store(Protocol):
    """Where revisions, changes, health and audit entries last; crash-safe: what `commit` returned from is kept."""

    async def load(self) -> Stored:
        """What was stored last."""

    async def commit(self, commit: Commit) -> None:
        """Store a revision, its changes and its listing in one transaction."""

    async def confirm(self, provider_id: str, as_of: datetime) -> None:
        """Store that a provider's list was still the same at a later moment, and so is what followers know of it."""

    async def enrol(self, provider_ids: Collection[str], at: datetime, *, list_ttl: timedelta) -> None:
        """Store which providers are served from now on, and for how long their lists count as fresh.

        The standing of all others is forgotten.
        """

    async def hold(self, provider_id: str, held: Held | None) -> None:
        """Store the list of a provider that is held back or discarded, or that there is none."""

    async def read(self, after: int, limit: int) -> LogPage:
        """Changes after a position in the log."""

    async def record(self, probes: Sequence[Probe], spans: Sequence[Span] = ()) -> None:
        """Count probes and the time between them into the health history."""

    async def open_incident(self, incident: Incident) -> None:
        """Store that a provider went down, or, with `ended_at`, that the incident of this id is over."""

    async def health(
        self, provider_ids: Sequence[str], window: UptimeWindow, now: datetime
    ) -> Mapping[str, Sequence[HealthBucket]]:
        """The buckets of each provider, oldest first, spans without a probe included."""

    async def incidents(self, provider_ids: Sequence[str], limit: int) -> Mapping[str, Sequence[Incident]]:
        """Each provider's incidents, newest first."""

    async def audit(self, entries: Sequence[AuditEntry]) -> None:
        """Append to the audit log."""

    async def audit_page(self, before: int | None, limit: int) -> Sequence[AuditEntry]:
        """Audit entries before a position, newest first."""

    async def trim(self, now: datetime) -> None:
        """Drop what is past its retention."""

    async def close(self) -> None:
        """Flush and close."""


class HealthHistory(Protocol):
    """The part of a store that answers questions about health over time."""

    async def health(
        self, provider_ids: Sequence[str], window: UptimeWindow, now: datetime
    ) -> Mapping[str, Sequence[HealthBucket]]:
        """The buckets of each provider, oldest first, spans without a probe included."""

    async def incidents(self, provider_ids: Sequence[str], limit: int) -> Mapping[str, Sequence[Incident]]:
        """Each provider's incidents, newest first."""


class Audit(Protocol):
    """The audit log, written without waiting and read a page at a time."""

    def note(self, *, actor: str, action: str, outcome: str, target: str | None = None) -> None:
        """Write an entry soon; never fails and never waits."""

    async def audit_page(self, before: int | None, limit: int) -> Sequence[AuditEntry]:
        """Audit entries before a position, newest first."""


class Reader(Protocol):
    """Where the current state is read."""

    @property
    def snapshot(self) -> Snapshot:
        """The catalogue now; hold on to it for one consistent answer."""


class Feed(Protocol):
    """Where changes are followed."""

    def follow(self, since: str | None) -> AsyncIterator[Change]:
        """Every change after a cursor, or from now on, each exactly once; Resync where the log cannot tell.

        Raises BadUserInput at the first step for a cursor that is not readable.
        """


class Refresher(Protocol):
    """Where an admin sets things going."""

    async def refresh(self, provider_ids: Sequence[str], *, force: bool) -> Sequence[ProviderRefresh]:
        """Fetch lists now, or only those past their lifetime; bounded, in the order of the ids."""

    def progress(self) -> AsyncIterator[RefreshProgress]:
        """The steps of refreshes from now on."""

    async def resolve_quarantine(self, quarantine_id: str, *, accept: bool) -> ProviderState:
        """Accept or discard a held-back list; BadUserInput when no such one waits (any more)."""


class EndpointSource(Protocol):
    """Where endpoints are read on demand; bounded in time: what takes longer is PENDING."""

    async def endpoints(self, model_ids: Sequence[str]) -> Sequence[EndpointList]:
        """The endpoints of some models, in the same order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCheck:
    """What a provider said of a caller's key."""

    outcome: KeyCheckOutcome
    model_count: int | None = None
    """How many models the key can use, where that is known."""
    message: str


class CallerLists(Protocol):
    """Where a caller's own lists are read, with the caller's own keys; bounded in time."""

    async def overlay(self, snapshot: Snapshot, keys: Mapping[str, SecretStr]) -> "Overlay":
        """The snapshot as this caller sees it."""

    async def check(self, provider_id: str, key: SecretStr) -> KeyCheck:
        """Try a key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """A snapshot with a caller's own lists in place of the server's."""

    snapshot: Snapshot
    own: tuple[str, ...] = ()
    """The providers for which it holds the caller's list."""
    waited: bool = False
    """Whether the answer had to wait for a provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a caller may still ask for; null where no limit applies."""

    limit: int | None = None
    """Requests in the current window."""
    remaining: int | None = None
    """Requests left in it."""
    reset_at: datetime | None = None
    """When the window ends."""
    cost_limit: int
    """The most that one query may cost."""


class ClientLimits(Protocol):
    """Where a caller's allowance is read."""

    def allowance(self, client: str) -> Allowance:
        """The allowance of the client that limits count."""

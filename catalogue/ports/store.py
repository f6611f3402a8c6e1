"""Where revisions, changes, health and audit entries last."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from catalogue.audit import AuditEntry
from catalogue.change import Change
from catalogue.health import Quarantine, Standing
from catalogue.history import HealthBucket, Incident, Probe, Span
from catalogue.listing import Listing
from catalogue.vocabulary import UptimeWindow


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

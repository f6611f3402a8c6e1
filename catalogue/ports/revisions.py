"""The store of revisions: the state that a server starts from, and each step from it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from catalogue.change import Change
from catalogue.health import Health, Quarantine
from catalogue.listing import Listing
from catalogue.position import Timeline


@dataclass(frozen=True, slots=True)
class Held:
    """A suspicious list, and the listing that accepting it makes."""

    quarantine: Quarantine
    listing: Listing
    as_of: datetime
    """When the list last came."""
    discarded: bool = False
    """Whether an admin rejected it. It is kept so that the same list is recognised when it comes again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredListing:
    """A listing, and when the provider last gave it."""

    listing: Listing
    as_of: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The contents of a store when it is opened."""

    timeline: Timeline
    """The epochs of the log; the server opens one of its own."""
    revision: int
    seq: int
    """The number of the last change."""
    updated_at: datetime | None
    listings: Mapping[str, StoredListing]
    held: Mapping[str, Held] = field(default_factory=dict)
    """Held-back and discarded lists by provider id."""
    healths: Mapping[str, Health] = field(default_factory=dict)
    """By provider id, as of the last change of status; for every provider of the last run."""
    published: Mapping[str, datetime] = field(default_factory=dict)
    """By provider id, the time of the state that followers know."""
    list_ttl: timedelta | None = None
    """The lifetime of lists in the last run; null if unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One revision, written whole or not at all."""

    follows: int
    """The number of the stored revision before it."""
    revision: int
    at: datetime
    changes: Sequence[Change]
    """Numbered: the first follows the last stored change."""
    listing: StoredListing | None = None
    """The provider's new listing, where it changed."""
    confirmed: tuple[str, datetime] | None = None
    """The provider that gave the same list again, and when."""
    health: Health | None = None
    """The provider's new health, where its status changed."""
    opens: str | None = None
    """The name of an epoch that begins with these changes."""


class Revisions(Protocol):
    """A crash-safe store of revisions: a commit that returned is kept. Every method may raise a StoreError."""

    async def load(self) -> Stored:
        """Read what was stored last."""

    async def commit(self, commit: Commit) -> None:
        """Store a revision, its changes and its listing in one transaction."""

    async def confirm(self, provider_id: str, as_of: datetime) -> None:
        """Store that a provider gave the same list at a later moment, and that followers know its state as of then."""

    async def register(self, provider_ids: Collection[str], at: datetime, *, list_ttl: timedelta, opens: str) -> None:
        """Store which providers are served from now on, how long their lists count as fresh, and a new epoch.

        The health of all other providers is forgotten.
        """

    async def hold(self, provider_id: str, held: Held | None) -> None:
        """Store the held-back or discarded list of a provider, or null to delete it."""

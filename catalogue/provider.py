"""One provider's state. Its next state is computed in `catalogue.reducer`."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from catalogue.facts import ModelFacts
from catalogue.health import ILL, Health
from catalogue.listing import Listing
from catalogue.status import Rule, Statuses, conditions, evaluate
from catalogue.view import ModelView
from catalogue.vocabulary import DataSource, HealthStatus, KeySource


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The configuration of a provider, as far as readers see it."""

    id: str
    name: str
    website: str | None = None
    configured: bool = True
    """Whether it can be read: it has a key, or needs none."""
    key_source: KeySource = KeySource.NONE
    list_ttl: timedelta = timedelta(seconds=600)
    """How long a list counts as fresh."""
    polled: bool = True
    """Whether it is called on schedule. If not, only while it is ill and when an admin refreshes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRevision:
    """The part of a provider's state that lasts until its next published change."""

    profile: Profile
    listing: Listing
    statuses: Statuses

    @property
    def health(self) -> HealthStatus:
        """How the provider answers."""
        return self.statuses.conditions.health


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderState:
    """One provider at one moment: the part that lasts, and the part that every call moves."""

    lasting: ProviderRevision
    health: Health
    as_of: datetime | None = None
    """When the provider last gave its list; for packaged data, the date of the package; null for an empty start."""
    confirmed: bool = False
    """Whether the provider gave this list since the server started."""

    @property
    def id(self) -> str:
        """The provider's id."""
        return self.lasting.profile.id

    @property
    def profile(self) -> Profile:
        """The provider's configuration."""
        return self.lasting.profile

    @property
    def listing(self) -> Listing:
        """The provider's list."""
        return self.lasting.listing

    @property
    def statuses(self) -> Statuses:
        """Whether each model can be used."""
        return self.lasting.statuses

    @property
    def model_count(self) -> int:
        """The number of models that it lists, those that are gone left out."""
        return self.listing.model_count

    @property
    def source(self) -> DataSource:
        """Where the list comes from. LIVE lasts twice the list's lifetime, so that a late poll does not flicker."""
        if not self.listing.is_reference:
            return DataSource.BASELINE
        fresh = self.confirmed and not self.statuses.conditions.stale
        return DataSource.LIVE if fresh else DataSource.LAST_GOOD

    def is_fresh(self, now: datetime) -> bool:
        """Whether the list is within its lifetime. One dated in the future is not."""
        if self.as_of is None or not self.listing.is_reference:
            return False
        return timedelta(0) <= now - self.as_of <= self.profile.list_ttl

    def reason(self, facts: ModelFacts, rule: Rule) -> str | None:
        """Why one of its models, whose status this rule decides, is not AVAILABLE, in words for a person."""
        return rule.words(facts, self) if rule.words else None

    def view(self, facts: ModelFacts, *, fallback: datetime) -> ModelView:
        """One of its models as a reader sees it; `fallback` stands for the date of data that has none."""
        as_of, rule = self.as_of or fallback, self.lasting.statuses.of(facts.id)
        return ModelView(
            facts=facts,
            status=rule.status,
            error_message=self.reason(facts, rule),
            last_checked=self.health.last_checked or as_of,
            provider_health=self.health.status,
            first_seen_at=self.listing.first_seen.get(facts.id),
            source=self.source,
            source_as_of=as_of,
        )

    def at(self, now: datetime) -> "ProviderState":
        """The state with its statuses as of a moment; this same object if none of them moved."""
        holds = conditions(self.listing, self.health.status, as_of=self.as_of, list_ttl=self.profile.list_ttl, now=now)
        if holds == self.statuses.conditions:
            return self
        return replace(self, lasting=replace(self.lasting, statuses=evaluate(self.listing, holds, now=now)))


def provider_state(
    profile: Profile,
    listing: Listing,
    health: Health,
    *,
    as_of: datetime | None = None,
    confirmed: bool = False,
    now: datetime,
) -> ProviderState:
    """A state from its parts, with statuses as of a moment."""
    holds = conditions(listing, health.status, as_of=as_of, list_ttl=profile.list_ttl, now=now)
    statuses = evaluate(listing, holds, now=now)
    lasting = ProviderRevision(profile=profile, listing=listing, statuses=statuses)
    return ProviderState(lasting=lasting, health=health, as_of=as_of, confirmed=confirmed)


def is_watched(profile: Profile, health: Health) -> bool:
    """Whether the provider is called on schedule; otherwise only when an admin refreshes it."""
    # A provider that is not polled is watched while it is ill: nothing else would notice that it is well again.
    return profile.configured and (profile.polled or health.status in ILL)

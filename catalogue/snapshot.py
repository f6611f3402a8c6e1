"""The whole catalogue at one moment: immutable, replaced whole, read from beginning to end by one query."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from catalogue.facts import ModelFacts
from catalogue.health import Standing
from catalogue.listing import Listing
from catalogue.status import AVAILABLE, Verdict, judge_listing
from catalogue.view import ModelView
from catalogue.vocabulary import DataSource, KeySource

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What the configuration says of a provider."""

    id: str
    name: str
    website: str | None = None
    configured: bool = True
    """Whether it can be read: it has a key, or needs none."""
    key_source: KeySource = KeySource.NONE
    list_ttl: timedelta = timedelta(seconds=600)
    """How long a list counts as fresh."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderState:
    """One provider in a snapshot: who it is, what it lists, how it stands, and the verdicts that follow."""

    profile: Profile
    listing: Listing
    standing: Standing
    verdicts: Mapping[str, Verdict] = field(default_factory=lambda: MappingProxyType({}))
    """Of the models that are not AVAILABLE."""

    @property
    def id(self) -> str:
        """The provider's id."""
        return self.profile.id

    @property
    def model_count(self) -> int:
        """How many models it lists, gone ones left out."""
        return len(self.listing.models) - len(self.listing.gone)

    def judged(self, now: datetime) -> "ProviderState":
        """The same with verdicts of this moment."""
        verdicts = judge_listing(
            self.listing, self.standing, name=self.profile.name, list_ttl=self.profile.list_ttl, now=now
        )
        return replace(self, verdicts=MappingProxyType(verdicts))

    def verdict(self, model_id: str) -> Verdict:
        """The verdict on one of its models."""
        return self.verdicts.get(model_id, AVAILABLE)

    def source(self, now: datetime) -> DataSource:
        """LIVE while the list is within its lifetime (twice, so that a late poll does not flicker), else LAST_GOOD."""
        listing = self.listing
        if listing.source is not DataSource.LIVE or listing.as_of is None:
            return listing.source
        return DataSource.LIVE if now - listing.as_of <= 2 * self.profile.list_ttl else DataSource.LAST_GOOD

    def view(self, facts: ModelFacts, now: datetime) -> ModelView:
        """One of its models as a reader sees it."""
        verdict = self.verdict(facts.id)
        as_of = self.listing.as_of or _EPOCH
        return ModelView(
            facts=facts,
            status=verdict.status,
            error_message=verdict.reason,
            last_checked=self.standing.last_checked or as_of,
            provider_health=self.standing.status,
            first_seen_at=self.listing.first_seen.get(facts.id, as_of),
            source=self.source(now),
            source_as_of=as_of,
        )


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class Snapshot:
    """Every provider and model at one revision."""

    revision: int = 0
    """Counts the moments at which a fact or a status changed; times of checks alone do not count."""
    seq: int = 0
    """The position in the log of changes that this state includes."""
    epoch: str = ""
    """Names the log, so that a cursor of another log, or of a state that is in no log, is recognised."""
    updated_at: datetime | None = None
    """When the revision was made; null before the first list."""
    judged_at: datetime = _EPOCH
    """The moment as of which statuses and sources hold."""
    providers: Mapping[str, ProviderState] = field(default_factory=lambda: MappingProxyType({}))
    """By provider id, in the order of the names."""

    @property
    def total_models(self) -> int:
        """How many models all providers list, gone ones left out."""
        return sum(p.model_count for p in self.providers.values())

    def model(self, model_id: str) -> ModelView | None:
        """The model with this id, if it is known."""
        owner = self.providers.get(model_id.partition("/")[0])
        facts = owner.listing.models.get(model_id) if owner else None
        return owner.view(facts, self.judged_at) if owner and facts else None

    def facts(self) -> Iterator[tuple[ProviderState, ModelFacts]]:
        """Every model's facts beside its provider."""
        for state in self.providers.values():
            for facts in state.listing.models.values():
                yield state, facts

    def with_provider(self, state: ProviderState) -> "Snapshot":
        """The same with one provider's state replaced; the revision stays, which only the ledger moves."""
        return replace(self, providers=MappingProxyType({**self.providers, state.id: state}))

"""Whether a model can be used now: one table of rules, of which the first that matches decides."""

from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING

from catalogue.facts import ModelFacts
from catalogue.listing import Listing
from catalogue.vocabulary import HealthStatus, ModelStatus, StatusCause

if TYPE_CHECKING:
    from catalogue.provider import ProviderState


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What decides the statuses of one provider's models, apart from its listing."""

    health: HealthStatus = HealthStatus.UNKNOWN
    stale: bool = True
    """Whether the list is older than two of its lifetimes, or was never given."""
    ended: int = 0
    """The number of announced ends that have passed."""


def conditions(
    listing: Listing, health: HealthStatus, *, as_of: datetime | None, list_ttl: timedelta, now: datetime
) -> Conditions:
    """The conditions of a provider at one moment."""
    stale = not listing.is_reference or as_of is None or now - as_of > 2 * list_ttl
    ended = bisect_right(listing.index.ends, now, key=lambda end: end[0])
    return Conditions(health=health, stale=stale, ended=ended)


class Trait(Enum):
    """A reason for which a model may not be AVAILABLE."""

    GONE = auto()
    """The last good list no longer has it."""
    DOWN = auto()
    """The provider is down."""
    ENDED = auto()
    """It is flagged as deprecated, or its announced end has passed."""
    DEGRADED = auto()
    """The provider is degraded."""
    STALE = auto()
    """The list is old, or was never given."""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One row of the table."""

    trait: Trait | None
    """Has the rule match; null always matches."""
    status: ModelStatus
    cause: StatusCause
    words: "Callable[[ModelFacts, ProviderState], str] | None" = None
    """Why the status is not AVAILABLE, in words for a person."""


def _gone_words(_: ModelFacts, of: "ProviderState") -> str:
    return f"{of.profile.name} no longer lists this model."


def _ended_words(facts: ModelFacts, of: "ProviderState") -> str:
    end = facts.expires_at
    if end is None:
        return f"{of.profile.name} marks this model as deprecated."
    verb = "ended" if end <= of.statuses.evaluated_at else "will end"
    return f"{of.profile.name} {verb} this model on {end:%Y-%m-%d}."


def _stale_words(_: ModelFacts, of: "ProviderState") -> str:
    day = of.as_of.strftime("%Y-%m-%d %H:%M UTC") if of.as_of else "an unknown time"
    if not of.listing.is_reference:
        return f"{of.profile.name} has not given its list yet. This is packaged data of {day}."
    return f"The last good list of {of.profile.name} is from {day}."


def _health_words(adjective: str) -> "Callable[[ModelFacts, ProviderState], str]":
    def words(_: ModelFacts, of: "ProviderState") -> str:
        why = f": {of.health.error.message}" if of.health.error else "."
        return f"{of.profile.name} is {adjective}{why}"

    return words


AVAILABLE = Rule(None, ModelStatus.AVAILABLE, StatusCause.LIST)

RULES: tuple[Rule, ...] = (
    Rule(Trait.GONE, ModelStatus.UNAVAILABLE, StatusCause.LIST, _gone_words),
    Rule(Trait.DOWN, ModelStatus.UNAVAILABLE, StatusCause.HEALTH, _health_words("down")),
    Rule(Trait.ENDED, ModelStatus.DEPRECATED, StatusCause.ENDING, _ended_words),
    Rule(Trait.DEGRADED, ModelStatus.LIMITED, StatusCause.HEALTH, _health_words("degraded")),
    Rule(Trait.STALE, ModelStatus.LIMITED, StatusCause.AGE, _stale_words),
    AVAILABLE,
)
"""The first rule that matches decides."""

_OF_HEALTH = {HealthStatus.DOWN: Trait.DOWN, HealthStatus.DEGRADED: Trait.DEGRADED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statuses:
    """Which rule decides for each model of a provider: one for almost all of them, and the exceptions."""

    conditions: Conditions = field(default_factory=Conditions)
    common: Rule = AVAILABLE
    own: Mapping[str, Rule] = field(default_factory=lambda: MappingProxyType({}))
    evaluated_at: datetime

    def of(self, model_id: str) -> Rule:
        """The rule that decides for a model."""
        return self.own.get(model_id, self.common)


def evaluate(listing: Listing, conditions: Conditions, *, now: datetime) -> Statuses:
    """The statuses of a listing. The cost is that of the models with an end, a flag or a gap of their own."""
    shared = {None, _OF_HEALTH.get(conditions.health), Trait.STALE if conditions.stale else None}
    common = _first(shared)
    gone, index = listing.gone, listing.index
    ended = index.deprecated.union(id_ for _, id_ in index.ends[: conditions.ended])
    own = {id_: _first({*shared, Trait.ENDED}) for id_ in ended} | {id_: _first({*shared, Trait.GONE}) for id_ in gone}
    exceptions = MappingProxyType({id_: rule for id_, rule in own.items() if rule is not common})
    return Statuses(conditions=conditions, common=common, own=exceptions, evaluated_at=now)


def _first(traits: Collection[Trait | None]) -> Rule:
    return next(rule for rule in RULES if rule.trait in traits)


def cause(before: Rule, after: Rule) -> StatusCause:
    """Why a status changed: of the two rules, the first in the table is the one that began or ceased to match."""
    return min(before, after, key=RULES.index).cause

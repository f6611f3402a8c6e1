"""Whether a model can be used now: one table of rules, of which the first that matches decides."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from catalogue.facts import ModelFacts
from catalogue.listing import Listing
from catalogue.vocabulary import HealthStatus, ModelStatus, StatusCause


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """All that the statuses of one provider's models follow from, apart from its listing."""

    health: HealthStatus = HealthStatus.UNKNOWN
    stale: bool = True
    """Whether the list is older than two of its lifetimes, or was never given."""
    ended: int = 0
    """The number of announced ends that have passed."""


def conditions(
    listing: Listing, health: HealthStatus, *, as_of: datetime | None, list_ttl: timedelta, now: datetime
) -> Conditions:
    """What holds for a provider at one moment."""
    stale = not listing.is_reference or as_of is None or now - as_of > 2 * list_ttl
    ended = bisect_right(listing.index.ends, now, key=lambda end: end[0])
    return Conditions(health=health, stale=stale, ended=ended)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a rule looks at."""

    facts: ModelFacts
    gone: bool
    conditions: Conditions
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What the words of a reason need besides the facts: they may change while the status stays."""

    provider_name: str
    problem: str | None
    """The provider's present problem, as a sentence."""
    packaged: bool
    as_of: datetime | None
    now: datetime


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One row of the table."""

    status: ModelStatus
    cause: StatusCause
    matches: Callable[[Case], bool]
    words: Callable[[ModelFacts, Background], str | None]
    """Why the status is not AVAILABLE, in words for a person."""


def _ended(case: Case) -> bool:
    end = case.facts.expires_at
    return case.facts.deprecated or (end is not None and end <= case.now)


def _ended_words(facts: ModelFacts, background: Background) -> str:
    end = facts.expires_at
    if end is None:
        return f"{background.provider_name} marks this model as deprecated."
    verb = "ended" if end <= background.now else "will end"
    return f"{background.provider_name} {verb} this model on {end:%Y-%m-%d}."


def _stale_words(_: ModelFacts, background: Background) -> str:
    day = background.as_of.strftime("%Y-%m-%d %H:%M UTC") if background.as_of else "an unknown time"
    if background.packaged:
        return f"{background.provider_name} has not given its list yet. This is packaged data of {day}."
    return f"The last good list of {background.provider_name} is from {day}."


def _health_words(adjective: str) -> Callable[[ModelFacts, Background], str]:
    def words(_: ModelFacts, background: Background) -> str:
        why = f": {background.problem}" if background.problem else "."
        return f"{background.provider_name} is {adjective}{why}"

    return words


AVAILABLE = Rule(ModelStatus.AVAILABLE, StatusCause.LIST, lambda _: True, lambda _, __: None)

RULES: tuple[Rule, ...] = (
    Rule(
        ModelStatus.UNAVAILABLE,
        StatusCause.LIST,
        lambda case: case.gone,
        lambda _, background: f"{background.provider_name} no longer lists this model.",
    ),
    Rule(
        ModelStatus.UNAVAILABLE,
        StatusCause.HEALTH,
        lambda case: case.conditions.health is HealthStatus.DOWN,
        _health_words("down"),
    ),
    Rule(ModelStatus.DEPRECATED, StatusCause.ENDING, _ended, _ended_words),
    Rule(
        ModelStatus.LIMITED,
        StatusCause.HEALTH,
        lambda case: case.conditions.health is HealthStatus.DEGRADED,
        _health_words("degraded"),
    ),
    Rule(ModelStatus.LIMITED, StatusCause.AGE, lambda case: case.conditions.stale, _stale_words),
    AVAILABLE,
)

_UNREMARKABLE = ModelFacts(id="", provider_id="", name="")


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

    def rule(facts: ModelFacts, *, gone: bool) -> Rule:
        case = Case(facts=facts, gone=gone, conditions=conditions, now=now)
        return next(rule for rule in RULES if rule.matches(case))

    common, index = rule(_UNREMARKABLE, gone=False), listing.index
    ended = (id_ for _, id_ in index.ends[: conditions.ended])
    own = {}
    for id_ in {*listing.gone, *index.deprecated, *ended}:
        found = rule(listing.models[id_], gone=id_ in listing.gone)
        if found is not common:
            own[id_] = found
    return Statuses(conditions=conditions, common=common, own=MappingProxyType(own), evaluated_at=now)


def cause(before: Rule, after: Rule) -> StatusCause:
    """Why a status changed: of the two rules, the first in the table is the one that began or ceased to match."""
    return min(before, after, key=RULES.index).cause

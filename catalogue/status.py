"""The one table that says whether a model can be used now; the first rule that matches wins."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from catalogue.facts import ModelFacts
from catalogue.health import Standing
from catalogue.listing import Listing
from catalogue.vocabulary import DataSource, HealthStatus, ModelStatus


@dataclass(frozen=True, slots=True)
class Verdict:
    """A model's status and, unless it is AVAILABLE, the reason in words for a person."""

    status: ModelStatus
    reason: str | None = None


AVAILABLE = Verdict(ModelStatus.AVAILABLE)

_UNREMARKABLE = ModelFacts(id="", provider_id="", name="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that the rules look at."""

    facts: ModelFacts
    name: str
    """The provider's name, for the reasons."""
    gone: bool
    standing: Standing
    as_of: datetime | None
    source: DataSource
    list_ttl: timedelta
    now: datetime

    @property
    def stale(self) -> bool:
        """Whether the data is older than two lifetimes of a list; packaged data always is, whatever the clock says."""
        is_packaged = self.source is DataSource.BASELINE
        return is_packaged or self.as_of is None or self.now - self.as_of > 2 * self.list_ttl

    @property
    def trouble(self) -> str:
        """What the provider's last error says, as the end of a sentence."""
        return f": {self.standing.error.message}" if self.standing.error else "."


def _day(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC") if at else "an unknown time"


def _ended(case: Case) -> bool:
    return case.facts.deprecated or (case.facts.expires_at is not None and case.facts.expires_at <= case.now)


def _ended_reason(case: Case) -> str:
    end = case.facts.expires_at
    if end is None:
        return f"{case.name} marks this model as deprecated."
    verb = "ended" if end <= case.now else "will end"
    return f"{case.name} {verb} this model on {end:%Y-%m-%d}."


def _stale_reason(case: Case) -> str:
    if case.source is DataSource.BASELINE:
        return f"{case.name} has not given its list yet; this is packaged data of {_day(case.as_of)}."
    return f"The last good list of {case.name} is from {_day(case.as_of)}."


_RULES: tuple[tuple[ModelStatus, Callable[[Case], bool], Callable[[Case], str]], ...] = (
    (ModelStatus.UNAVAILABLE, lambda c: c.gone, lambda c: f"{c.name} no longer lists this model."),
    (
        ModelStatus.UNAVAILABLE,
        lambda c: c.standing.status is HealthStatus.DOWN,
        lambda c: f"{c.name} is down{c.trouble}",
    ),
    (ModelStatus.DEPRECATED, _ended, _ended_reason),
    (
        ModelStatus.LIMITED,
        lambda c: c.standing.status is HealthStatus.DEGRADED,
        lambda c: f"{c.name} is degraded{c.trouble}",
    ),
    (ModelStatus.LIMITED, lambda c: c.stale, _stale_reason),
)


def judge(case: Case) -> Verdict:
    """The verdict on one model."""
    for status, matches, reason in _RULES:
        if matches(case):
            return Verdict(status, reason(case))
    return AVAILABLE


def judge_listing(
    listing: Listing, standing: Standing, *, name: str, list_ttl: timedelta, now: datetime
) -> dict[str, Verdict]:
    """The verdicts of one provider's models by id; those that are AVAILABLE are left out."""

    def verdict(facts: ModelFacts, *, gone: bool) -> Verdict:
        return judge(
            Case(
                facts=facts,
                name=name,
                gone=gone,
                standing=standing,
                as_of=listing.as_of,
                source=listing.source,
                list_ttl=list_ttl,
                now=now,
            )
        )

    # Most rows have nothing of their own that a rule looks at: they share one verdict.
    common = verdict(_UNREMARKABLE, gone=False)
    verdicts = {}
    for id_, facts in listing.models.items():
        own = id_ in listing.gone or facts.deprecated or facts.expires_at is not None
        found = verdict(facts, gone=id_ in listing.gone) if own else common
        if found is not AVAILABLE:
            verdicts[id_] = found
    return verdicts

"""One provider's state, and the one function that moves it: from a state and an observation to the next state."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from catalogue.facts import ModelFacts
from catalogue.health import FAILURES, ILL, Health, answered, failed, unhelped
from catalogue.listing import Listing
from catalogue.observation import (
    Answered,
    CallFailed,
    Decided,
    Faulted,
    HeldBack,
    ListFailed,
    ListTaken,
    Observation,
    Plan,
    ProbeStarted,
    Restored,
)
from catalogue.status import Background, Conditions, Statuses, conditions, evaluate
from catalogue.view import ModelView
from catalogue.vocabulary import BreakerState, DataSource, HealthStatus, KeySource


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What the configuration says about a provider."""

    id: str
    name: str
    website: str | None = None
    configured: bool = True
    """Whether it can be read: it has a key, or needs none."""
    key_source: KeySource = KeySource.NONE
    list_ttl: timedelta = timedelta(seconds=600)
    """How long a list counts as fresh."""
    polled: bool = True
    """Whether it is asked on schedule. If not, only while it is ill and when an admin refreshes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRevision:
    """The part of a provider's state that lasts until subscribers are told of a change."""

    profile: Profile
    listing: Listing
    statuses: Statuses

    @property
    def id(self) -> str:
        """The provider's id."""
        return self.profile.id

    @property
    def health(self) -> HealthStatus:
        """How the provider answers."""
        return self.statuses.conditions.health


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderState:
    """One provider at one moment: what lasts, and what every call moves."""

    lasting: ProviderRevision
    health: Health
    as_of: datetime | None = None
    """When the provider last gave its list. For packaged data, the date of the package. Null for an empty start."""
    confirmed: bool = False
    """Whether the provider gave this list since the server started."""

    @property
    def id(self) -> str:
        """The provider's id."""
        return self.lasting.profile.id

    @property
    def profile(self) -> Profile:
        """What the configuration says."""
        return self.lasting.profile

    @property
    def listing(self) -> Listing:
        """What the provider lists."""
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
        """Whether the list is within its lifetime. A list of a time to come is not."""
        if self.as_of is None or not self.listing.is_reference:
            return False
        return timedelta(0) <= now - self.as_of <= self.profile.list_ttl

    def reason(self, facts: ModelFacts) -> str | None:
        """Why one of its models is not AVAILABLE, in words for a person."""
        error = self.health.error
        background = Background(
            provider_name=self.profile.name,
            problem=error.message if error else None,
            packaged=not self.listing.is_reference,
            as_of=self.as_of,
            now=self.statuses.evaluated_at,
        )
        return self.statuses.of(facts.id).words(facts, background)

    def view(self, facts: ModelFacts, *, fallback: datetime) -> ModelView:
        """One of its models as a reader sees it; `fallback` stands for the date of data that has none."""
        as_of = self.as_of or fallback
        return ModelView(
            facts=facts,
            status=self.statuses.of(facts.id).status,
            error_message=self.reason(facts),
            last_checked=self.health.last_checked or as_of,
            provider_health=self.health.status,
            first_seen_at=self.listing.first_seen.get(facts.id),
            source=self.source,
            source_as_of=as_of,
        )

    def at(self, now: datetime) -> "ProviderState":
        """The state with its statuses as of a moment: this very state where none of them moved."""
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


def after(state: ProviderState, seen: Observation, *, at: datetime) -> ProviderState:
    """The state after an observation. Where nothing moved that is published, `lasting` is the same object."""
    if isinstance(seen, Restored):
        return seen.state
    moved = state
    if isinstance(seen, ListTaken):
        moved = _relisted(state, seen.listing, as_of=at)
    elif isinstance(seen, Decided) and seen.listing is not None:
        moved = _relisted(state, seen.listing, as_of=seen.as_of)
    health = _MOVES[type(seen)](state.health, seen, at)
    return replace(moved, health=_planned(health, state.profile, seen.plan)).at(at)


def _relisted(state: ProviderState, listing: Listing, *, as_of: datetime | None) -> ProviderState:
    lasting = state.lasting
    if listing is not lasting.listing:
        # Statuses of another listing never hold: an impossible count of ended models has them evaluated.
        unknown = replace(lasting.statuses, conditions=Conditions(ended=-1))
        lasting = replace(lasting, listing=listing, statuses=unknown)
    return replace(state, lasting=lasting, as_of=as_of, confirmed=True)


def _list_taken(health: Health, seen: ListTaken, at: datetime) -> Health:
    rows, dropped = health.dropped_rows, health.problems.dropped
    if seen.dropped is not None:
        rows, dropped = seen.dropped, seen.problem
    problems = replace(health.problems, list=None, ours=None, held=None, key=seen.key, dropped=dropped)
    known = replace(health, dropped_rows=rows, quarantine=None)
    return answered(known, problems, at=at, latency_ms=seen.latency_ms)


def _held_back(health: Health, seen: HeldBack, at: datetime) -> Health:
    problems = replace(health.problems, list=None, ours=None, held=seen.problem, key=seen.key)
    return answered(replace(health, quarantine=seen.quarantine), problems, at=at, latency_ms=seen.latency_ms)


def _list_failed(health: Health, seen: ListFailed, at: datetime) -> Health:
    problems = replace(health.problems, call=seen.problem, list=seen.problem, key=seen.key)
    if seen.problem.code not in FAILURES:
        return unhelped(health, problems, at=at)
    # One that is down and answered a probe, but not with its list: the next probe decides.
    if health.is_half_up:
        return replace(health, last_checked=at, problems=problems)
    return failed(health, problems, at=at)


def _answered(health: Health, seen: Answered, at: datetime) -> Health:
    problems = replace(health.problems, check=seen.check, key=seen.key)
    return answered(health, problems, at=at, latency_ms=seen.latency_ms)


def _call_failed(health: Health, seen: CallFailed, at: datetime) -> Health:
    move = failed if seen.problem.code in FAILURES else unhelped
    return move(health, replace(health.problems, call=seen.problem, key=seen.key), at=at)


def _faulted(health: Health, seen: Faulted, _: datetime) -> Health:
    if seen.lasts:
        return replace(health, problems=replace(health.problems, ours=seen.problem))
    return health if health.status in ILL else replace(health, problems=replace(health.problems, call=seen.problem))


def _decided(health: Health, seen: Decided, _: datetime) -> Health:
    return replace(health, quarantine=None, problems=replace(health.problems, held=seen.problem))


def _probing(health: Health, _: ProbeStarted, __: datetime) -> Health:
    return replace(health, breaker=BreakerState.HALF_OPEN) if health.breaker is BreakerState.OPEN else health


_MOVES: Mapping[type[Observation], Callable[[Health, Any, datetime], Health]] = {
    ListTaken: _list_taken,
    HeldBack: _held_back,
    ListFailed: _list_failed,
    Answered: _answered,
    CallFailed: _call_failed,
    Faulted: _faulted,
    Decided: _decided,
    ProbeStarted: _probing,
}
"""What each observation means for a provider's health."""


def _planned(health: Health, profile: Profile, plan: Plan | None) -> Health:
    if plan is None:
        return health
    at = min(plan.list_at, plan.probe_at) if health.takes_lists else plan.probe_at
    return replace(health, next_check_at=at if is_watched(profile, health) else None)


def is_watched(profile: Profile, health: Health) -> bool:
    """Whether the provider is asked on schedule. If not, that is left to an admin."""
    # One that is not polled is watched all the same while it is ill: nothing else would find that it is well again.
    return profile.configured and (profile.polled or health.status in ILL)

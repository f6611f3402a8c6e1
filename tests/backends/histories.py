"""What happens to providers, told to a store the way a server does: each state is compared with the one before."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hypothesis import strategies as st

from catalogue.change import Change
from catalogue.diff import diff
from catalogue.facts import ModelFacts
from catalogue.health import Health, Problem, Problems
from catalogue.listing import Listing, merged
from catalogue.ports.revisions import Commit, Revisions
from catalogue.position import Position
from catalogue.provider import Profile, ProviderState, provider_state
from catalogue.vocabulary import HealthStatus, ProviderErrorCode
from tests.backends.samples import EPOCH, kept
from tests.catalogue.strategies import HOUR, NOW, lists, words

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that happens to a provider."""

    provider: str
    rows: Sequence[ModelFacts] | None = None
    """A list, if one came."""
    status: HealthStatus = HealthStatus.HEALTHY
    message: str = "No answer."


def steps(*providers: str) -> st.SearchStrategy[list[Step]]:
    """A few things that happen to some providers."""
    return st.lists(
        st.builds(
            Step,
            provider=st.sampled_from(providers),
            rows=st.none() | lists,
            status=st.sampled_from(HealthStatus),
            message=words,
        ),
        max_size=8,
    )


@dataclass(kw_only=True)
class History:
    """Moves providers from step to step, and commits what changes."""

    store: Revisions
    number: int = 0
    seq: int = 0
    at: datetime = NOW
    epoch: str = EPOCH
    changes: list[Change] = field(default_factory=list)
    """Everything that was committed, as it was published."""
    states: dict[str, ProviderState] = field(default_factory=dict)

    @classmethod
    async def of(cls, store: Revisions) -> "History":
        """A history that begins where a store is."""
        stored = await store.load()
        return cls(store=store, number=stored.revision, seq=stored.seq, epoch=stored.timeline.epochs[-1].name)

    async def take(self, step: Step, *, opens: str | None = None) -> list[Change]:
        """Let something happen; returns the changes."""
        self.at += MINUTE
        self.epoch = opens or self.epoch
        before = self.states.get(step.provider) or _unread(step.provider)
        listing = before.listing
        if step.rows is not None:
            listing = merged(listing, [_of(step.provider, facts) for facts in step.rows], at=self.at)
        health = _health(step, before.health, self.at)
        as_of = self.at if step.rows is not None else before.as_of
        state = provider_state(before.profile, listing, health, as_of=as_of, confirmed=True, now=self.at)
        changes = diff(before, state, at=self.at, since=Position(self.epoch, self.seq))
        await self.store.commit(
            Commit(
                follows=self.number,
                revision=self.number + 1,
                at=self.at,
                changes=changes,
                listing=kept(listing, self.at) if listing is not before.listing else None,
                health=health,
                opens=opens,
            )
        )
        self.number, self.seq = self.number + 1, self.seq + len(changes)
        self.changes += changes
        self.states[step.provider] = state
        return changes


def _unread(provider: str) -> ProviderState:
    profile = Profile(id=provider, name=provider.title(), list_ttl=HOUR)
    return provider_state(profile, Listing(provider_id=provider), Health(provider_id=provider), now=NOW)


def _of(provider: str, facts: ModelFacts) -> ModelFacts:
    own = facts.id.partition("/")[2]
    return facts.model_copy(update={"id": f"{provider}/{own}", "provider_id": provider})


def _health(step: Step, before: Health, at: datetime) -> Health:
    if step.status is before.status:
        return replace(before, last_checked=at)
    ill = step.status is not HealthStatus.HEALTHY
    problem = Problem(code=ProviderErrorCode.TIMEOUT, message=step.message, retryable=True, at=at)
    problems = Problems(call=problem) if ill else Problems()
    return Health(provider_id=step.provider, status=step.status, since=at, last_checked=at, problems=problems)

"""The steps and the result of refreshing a provider's list."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalogue.change import Change, ModelAdded, ModelChange, ModelRemoved
from catalogue.health import Problem
from catalogue.observation import Faulted, HeldBack, ListFailed, ListTaken, Observation
from catalogue.provider import ProviderState
from catalogue.vocabulary import RefreshOutcome, RefreshStep


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRefresh:
    """The result of one provider's refresh."""

    provider_id: str
    outcome: RefreshOutcome
    added: int = 0
    removed: int = 0
    """Models that were missing from a good list for the second time."""
    changed: int = 0
    model_count: int = 0
    duration_ms: float = 0.0
    error: Problem | None = None
    """Why the old list was kept."""
    changes: tuple[Change, ...] = ()
    """The changes of this refresh, as stored in the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshProgress:
    """One step of one provider's refresh."""

    provider_id: str
    step: RefreshStep
    received: int | None = None
    """Bytes received so far."""
    model_count: int | None = None
    """Models read, once the list is read."""
    result: ProviderRefresh | None = None
    """The result, with DONE."""


def refresh_result(
    before: ProviderState, after: ProviderState, seen: Observation | None, changes: Sequence[Change], *, seconds: float
) -> ProviderRefresh:
    """The result of a refresh; `seen` is null for a provider that cannot be read."""
    old, new = before.lasting.listing, after.lasting.listing
    problem = seen.problem if isinstance(seen, HeldBack | ListFailed | Faulted) else None
    match seen:
        case ListTaken():
            outcome = RefreshOutcome.UNCHANGED if new is old else RefreshOutcome.UPDATED
            problem = seen.key
        case HeldBack():
            outcome = RefreshOutcome.QUARANTINED if seen.quarantine else RefreshOutcome.KEPT_LAST_GOOD
        case ListFailed():
            outcome = RefreshOutcome.KEPT_LAST_GOOD if new.models else RefreshOutcome.FAILED
        case Faulted():
            outcome = RefreshOutcome.FAILED
        case _:
            outcome, problem = RefreshOutcome.SKIPPED, after.health.error
    of_models = [change for change in changes if isinstance(change, ModelChange)]
    added = {change.model.facts.id for change in of_models if isinstance(change, ModelAdded)}
    removed = {change.model.facts.id for change in of_models if isinstance(change, ModelRemoved)}
    changed = {change.model.facts.id for change in of_models} - added - removed
    is_first = new.is_reference and not old.is_reference
    return ProviderRefresh(
        provider_id=after.lasting.profile.id,
        outcome=outcome,
        added=after.model_count if is_first else len(added),
        removed=len(removed),
        changed=len(changed),
        model_count=after.model_count,
        duration_ms=seconds * 1000,
        error=problem,
        changes=tuple(changes),
    )

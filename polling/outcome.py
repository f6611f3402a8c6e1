"""What a refresh did, from the states before and after it and the observation between them."""

import asyncio
from collections.abc import Sequence

from catalogue.change import Change, counts
from catalogue.health import Problem
from catalogue.observation import Faulted, HeldBack, ListFailed, ListTaken, Observation
from catalogue.provider import ProviderState
from catalogue.refresh import ProviderRefresh
from catalogue.vocabulary import RefreshOutcome


async def refreshed(
    before: ProviderState, after: ProviderState, seen: Observation | None, changes: Sequence[Change], *, seconds: float
) -> ProviderRefresh:
    """The result of one provider's refresh; `seen` is null for a provider that cannot be read."""
    outcome, problem = _outcome(before, after, seen)
    is_first = not before.listing.is_reference and after.listing.is_reference
    counted = await asyncio.to_thread(counts, changes)
    added, removed, changed = (after.model_count, 0, 0) if is_first else counted
    return ProviderRefresh(
        provider_id=after.id,
        outcome=outcome,
        added=added,
        removed=removed,
        changed=changed,
        model_count=after.model_count,
        duration_ms=seconds * 1000,
        error=problem,
        changes=tuple(changes),
    )


def _outcome(
    before: ProviderState, after: ProviderState, seen: Observation | None
) -> tuple[RefreshOutcome, Problem | None]:
    match seen:
        case ListTaken():
            same = after.listing is before.listing
            return (RefreshOutcome.UNCHANGED if same else RefreshOutcome.UPDATED), seen.key
        case HeldBack():
            waits = seen.quarantine is not None
            return (RefreshOutcome.QUARANTINED if waits else RefreshOutcome.KEPT_LAST_GOOD), seen.problem
        case ListFailed():
            kept = bool(after.listing.models)
            return (RefreshOutcome.KEPT_LAST_GOOD if kept else RefreshOutcome.FAILED), seen.problem
        case Faulted():
            return RefreshOutcome.FAILED, seen.problem
        case _:
            return RefreshOutcome.SKIPPED, after.health.error

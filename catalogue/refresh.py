"""What a refresh did, and how far it has come."""

from dataclasses import dataclass

from catalogue.change import Change
from catalogue.health import Problem
from catalogue.vocabulary import RefreshOutcome, RefreshStep


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRefresh:
    """What a refresh did for one provider."""

    provider_id: str
    outcome: RefreshOutcome
    added: int = 0
    removed: int = 0
    """Models that were missing from a good list for the second time."""
    changed: int = 0
    model_count: int = 0
    duration_ms: float = 0.0
    error: Problem | None = None
    """Why the old list was kept, in words for a person."""
    changes: tuple[Change, ...] = ()
    """What this refresh of this provider changed, as stored in the log."""


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
    """With DONE: what the refresh did."""

"""What the ledger and the health history are told of one provider: its standing, step by step, and each edge once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

import structlog

from catalogue.change import Change
from catalogue.guard import GuardLimits
from catalogue.health import ILL, Problem, Standing, failed, hampered, probing, stumbled, succeeded
from catalogue.history import Probe
from catalogue.listing import Listing
from catalogue.ports.clock import Clock
from catalogue.ports.store import Store
from catalogue.snapshot import ProviderState
from catalogue.vocabulary import BreakerState, HealthStatus, ProviderErrorCode
from polling.history import HealthRecorder
from polling.ledger import Ledger
from polling.progress import Progress
from polling.quarantine import Ward
from polling.schedule import Schedule, Timing
from upstream import problems
from upstream.parsing import Parser
from upstream.upstream import Upstream

_FAULTS = frozenset({ProviderErrorCode.UNREACHABLE, ProviderErrorCode.TIMEOUT})
"""Errors that count towards DOWN; all others are answers."""

Relist = Callable[[Listing], Listing]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all coordinators share."""

    ledger: Ledger
    store: Store
    parser: Parser
    recorder: HealthRecorder
    progress: Progress
    clock: Clock
    timing: Timing
    guard: GuardLimits
    rng: Random


class ProviderRecord:
    """One provider's standing, as it moves."""

    def __init__(self, *, upstream: Upstream, ward: Ward, schedule: Schedule, shared: Surroundings) -> None:
        self._upstream = upstream
        self._ward = ward
        self._schedule = schedule
        self._shared = shared
        self.note: Problem | None = None
        """Why its last list could not be taken, where that is our own fault: the provider is no worse for it."""

    @property
    def state(self) -> ProviderState:
        """The provider as the snapshot has it now."""
        return self._shared.ledger.snapshot.providers[self._upstream.id]

    @property
    def is_down(self) -> bool:
        """Whether the provider is down."""
        return self.state.standing.status is HealthStatus.DOWN

    @property
    def is_half_up(self) -> bool:
        """Whether the provider is down and answered its last probe."""
        return self.is_down and self.state.standing.consecutive_successes > 0

    @property
    def due(self) -> float | None:
        """When the provider is asked next; null where that is left to an admin."""
        return self._due(self.state.standing)

    def _due(self, standing: Standing) -> float | None:
        # One that is not polled is watched all the same while it is not well, or it would never be said to be again.
        if not self._upstream.configured or not (self._upstream.poll or standing.status in ILL):
            return None
        half_up = standing.consecutive_successes > 0
        only_probes = standing.status is HealthStatus.DOWN and not half_up
        return self._schedule.probe_due if only_probes else self._schedule.due

    async def half_open(self) -> None:
        """Show that the one probe of an open breaker is under way."""
        if self.state.standing.breaker is BreakerState.OPEN:
            await self._publish(probing)

    async def answered(
        self,
        latency_ms: float,
        problem: Problem | None,
        *,
        dropped: int | None = None,
        relist: Relist | None = None,
    ) -> Sequence[Change]:
        """A call was answered; `problem` is what keeps the provider from being of full use all the same."""
        now = self._shared.clock.now()
        self._shared.recorder.probe(Probe(provider_id=self._upstream.id, at=now, ok=True, latency_ms=latency_ms))
        if dropped and dropped != self.state.standing.dropped_rows:
            log.warning("rows_dropped", provider=self._upstream.id, rows=dropped)

        def advance(standing: Standing) -> Standing:
            rows = standing.dropped_rows if dropped is None else dropped
            standing = replace(standing, dropped_rows=rows)
            if problem is not None:
                return hampered(standing, at=now, problem=problem)
            note = self.note or self._ward.problem() or (problems.of_dropped(rows, at=now) if rows else None)
            return succeeded(standing, at=now, latency_ms=latency_ms, note=note)

        return await self._publish(advance, relist=relist)

    async def troubled(self, problem: Problem, *, listing: bool) -> Sequence[Change]:
        """A call failed; `listing` tells that it was for the whole list."""
        now = self._shared.clock.now()
        fault = problem.code in _FAULTS
        self._shared.recorder.probe(Probe(provider_id=self._upstream.id, at=now, ok=not fault))
        if not fault:
            return await self._publish(lambda standing: hampered(standing, at=now, problem=problem))
        settle = stumbled if self.is_half_up and listing else failed
        return await self._publish(lambda standing: settle(standing, at=now, problem=problem))

    async def noted(self, note: Problem) -> None:
        """Something broke on our side, which says nothing about the provider."""
        await self._publish(lambda s: s if s.status in ILL else replace(s, error=note))

    async def eased(self, *, relist: Relist | None = None) -> None:
        """An admin decided on the held-back list."""

        def ease(standing: Standing) -> Standing:
            held_back = standing.error is not None and standing.error.code is ProviderErrorCode.SUSPICIOUS
            return replace(standing, error=self._ward.problem() if held_back else standing.error)

        await self._publish(ease, relist=relist)

    async def _publish(
        self, advance: Callable[[Standing], Standing] = lambda standing: standing, *, relist: Relist | None = None
    ) -> Sequence[Change]:
        """Bring the provider's state forward in the ledger, with what the schedule and the ward say now."""
        before = self.state.standing

        def change(state: ProviderState) -> ProviderState:
            advanced = advance(state.standing)
            due = self._due(advanced)
            standing = replace(
                advanced, next_check_at=None if due is None else self._at(due), quarantine=self._ward.quarantine
            )
            return replace(state, standing=standing, listing=relist(state.listing) if relist else state.listing)

        try:
            return await self._shared.ledger.publish(self._upstream.id, change)
        finally:  # a list that could not be stored hides no edge
            after = self.state.standing
            if before.status is not after.status:
                self._tell_edge(before, after)

    def _at(self, due: float) -> datetime:
        return self._shared.clock.now() + timedelta(seconds=max(due - self._shared.clock.monotonic(), 0.0))

    def _tell_edge(self, before: Standing, after: Standing) -> None:
        now = self._shared.clock.now()
        self._shared.recorder.edge(after, at=now)
        log.info(
            "provider_health_changed",
            provider=self._upstream.id,
            before=before.status.value,
            after=after.status.value,
            seconds=round((now - before.since).total_seconds(), 1) if before.since else None,
            error=after.error.message if after.error else None,
        )

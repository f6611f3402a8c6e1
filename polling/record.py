"""What the ledger and the health history are told of one provider: its standing, step by step, and each edge once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random

import structlog

from catalogue.change import Change
from catalogue.guard import GuardLimits
from catalogue.health import Problem, Standing, admits, failed, hampered, probing, succeeded
from catalogue.history import Probe
from catalogue.listing import Listing
from catalogue.ports import Store
from catalogue.snapshot import ProviderState
from catalogue.vocabulary import BreakerState, HealthStatus, ProviderErrorCode
from polling.clock import Clock
from polling.history import HealthRecorder
from polling.ledger import Ledger
from polling.parsing import Parser
from polling.progress import Progress
from polling.quarantine import Ward
from polling.schedule import Schedule, Timing, cooldown

FAULTS = frozenset({ProviderErrorCode.UNREACHABLE, ProviderErrorCode.TIMEOUT})
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
    """One provider's standing and schedule, as they move."""

    def __init__(self, *, provider_id: str, ward: Ward, shared: Surroundings) -> None:
        now = shared.clock.now()
        self._provider_id = provider_id
        self._ward = ward
        self._shared = shared
        self.schedule = Schedule(timing=shared.timing, list_due=now, probe_due=now)

    @property
    def state(self) -> ProviderState:
        """The provider as the snapshot has it now."""
        return self._shared.ledger.snapshot.providers[self._provider_id]

    @property
    def is_down(self) -> bool:
        """Whether the provider is down."""
        return self.state.standing.status is HealthStatus.DOWN

    def admits(self, now: datetime) -> bool:
        """Whether the breaker lets a call pass."""
        return admits(self.state.standing, now)

    def breaker_open(self) -> bool:
        """Whether only a probe may pass next."""
        return self.state.standing.breaker is BreakerState.OPEN

    async def half_open(self) -> None:
        """Show that the one probe of an open breaker is under way."""
        if self.breaker_open():
            await self.publish(probing)

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
        self._shared.recorder.probe(Probe(provider_id=self._provider_id, at=now, ok=True, latency_ms=latency_ms))

        def advance(standing: Standing) -> Standing:
            rows = standing.dropped_rows if dropped is None else dropped
            standing = replace(standing, dropped_rows=rows)
            if problem is not None:
                return hampered(standing, at=now, problem=problem)
            return succeeded(standing, at=now, latency_ms=latency_ms, note=self._ward.problem() or _garbage(rows, now))

        return await self.publish(advance, relist=relist)

    async def troubled(self, problem: Problem) -> Sequence[Change]:
        """A call failed."""
        now = self._shared.clock.now()
        fault = problem.code in FAULTS
        self._shared.recorder.probe(Probe(provider_id=self._provider_id, at=now, ok=not fault))
        if not fault:
            return await self.publish(lambda standing: hampered(standing, at=now, problem=problem))
        pause = cooldown(self._shared.timing, self.state.standing.consecutive_failures + 1)
        return await self.publish(lambda standing: failed(standing, at=now, problem=problem, cooldown=pause))

    async def baffled(self, problem: Problem) -> None:
        """Something broke on our side, so nothing says that a call was answered: failures so far stay counted."""
        now = self._shared.clock.now()

        def advance(standing: Standing) -> Standing:
            failing = standing.consecutive_failures > 0
            return replace(standing, error=problem) if failing else hampered(standing, at=now, problem=problem)

        await self.publish(advance)

    async def eased(self, *, relist: Relist | None = None) -> None:
        """An admin decided on the held-back list."""

        def ease(standing: Standing) -> Standing:
            held_back = standing.error is not None and standing.error.code is ProviderErrorCode.SUSPICIOUS
            return replace(standing, error=self._ward.problem() if held_back else standing.error)

        await self.publish(ease, relist=relist)

    async def publish(
        self, advance: Callable[[Standing], Standing] = lambda standing: standing, *, relist: Relist | None = None
    ) -> Sequence[Change]:
        """Bring the provider's state forward in the ledger, with what the schedule and the ward say now."""
        before = self.state.standing

        def change(state: ProviderState) -> ProviderState:
            advanced = advance(state.standing)
            due = max(self.schedule.due, advanced.retry_at or self.schedule.due)
            standing = replace(advanced, next_check_at=due, quarantine=self._ward.quarantine)
            return replace(state, standing=standing, listing=relist(state.listing) if relist else state.listing)

        changes = await self._shared.ledger.publish(self._provider_id, change)
        after = self.state.standing
        if before.status is not after.status:
            self._tell_edge(before, after)
        return changes

    def _tell_edge(self, before: Standing, after: Standing) -> None:
        now = self._shared.clock.now()
        self._shared.recorder.edge(after, at=now)
        log.info(
            "provider_health_changed",
            provider=self._provider_id,
            before=before.status.value,
            after=after.status.value,
            seconds=round((now - before.since).total_seconds(), 1) if before.since else None,
            error=after.error.message if after.error else None,
        )


def _garbage(rows: int, now: datetime) -> Problem | None:
    if not rows:
        return None
    message = f"{rows} rows of the list could not be read and were left out."
    return Problem(code=ProviderErrorCode.MALFORMED, message=message, retryable=False, at=now)

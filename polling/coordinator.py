"""One provider's coordinator: calls the provider when it is due, and publishes the observation that each call ends in.

The reducer decides what an observation means for the provider's health, and the schedule when the next call is due. A
reader never waits for a call and never loses the last good list.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import structlog

from catalogue.change import Change
from catalogue.errors import BadUserInput
from catalogue.health import Problem
from catalogue.observation import Decided, Faulted, ListTaken, Observation, ProbeStarted
from catalogue.ports.errors import StoreError
from catalogue.ports.revisions import Held
from catalogue.provider import ProviderState, is_watched
from catalogue.refresh import ProviderRefresh, refresh_result
from catalogue.vocabulary import BreakerState, RefreshStep
from polling.deps import PollingDeps
from polling.list_update import ListUpdate
from polling.progress import ProviderProgress
from polling.schedule import Schedule, rest
from upstream import problems
from upstream.call_rate import Priority
from upstream.calls import CallSource
from upstream.errors import ServerStarved, TimedOut
from upstream.probe import probe
from upstream.problems import Fault
from upstream.server_key import ServerKey
from upstream.upstream import Upstream

log = structlog.get_logger(__name__)


class Coordinator:
    """Polls one provider, answers refreshes, and keeps the last good list."""

    def __init__(self, *, upstream: Upstream, calls: CallSource, deps: PollingDeps, held: Held | None = None) -> None:
        self.upstream = upstream
        self._calls = calls
        self._deps = deps
        self._key = ServerKey(upstream=upstream, clock=deps.clock)
        self._progress = ProviderProgress(upstream.id, deps.progress)
        self._lists = ListUpdate(
            upstream=upstream, calls=calls, key=self._key, deps=deps, progress=self._progress, held=held
        )
        self._schedule = Schedule(
            timing=deps.timing, clock=deps.clock, rng=deps.rng, needs_key=upstream.adapter.needs_key
        )
        self._turn = asyncio.Lock()
        self._moved = asyncio.Event()
        self._flight: asyncio.Task[ProviderRefresh] | None = None

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            try:
                await self._step()
            except Exception:
                log.exception("poll_broken", provider=self.upstream.id)
                self._schedule.unlisted()
            await rest(self._deps.clock, self._next[0], self._moved)

    async def _step(self) -> None:
        now, (due, takes_lists) = self._deps.clock.monotonic(), self._next
        if due is None or now < due:
            return
        if takes_lists and now >= self._schedule.list_due:
            await self.refresh(Priority.POLL)
        else:
            await self._probe()

    @property
    def _state(self) -> ProviderState:
        return self._deps.reader.snapshot.providers[self.upstream.id]

    @property
    def _next(self) -> tuple[float | None, bool]:
        """The moment of the next call, null if that is left to an admin, and whether lists are read."""
        state = self._state
        takes_lists = state.health.takes_lists
        due = self._schedule.due if takes_lists else self._schedule.probe_due
        return (due if is_watched(state.profile, state.health) else None), takes_lists

    async def refresh(self, priority: Priority) -> ProviderRefresh:
        """Fetch the list now. Refreshes that overlap share one flight, which outlives a caller that goes away."""
        if self._flight is None or self._flight.done():
            self._flight = asyncio.create_task(self._fly(priority), name=f"list:{self.upstream.id}")
        return await asyncio.shield(self._flight)

    async def stop(self) -> None:
        """Give up the call under way. A call cut short is not a failure."""
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.gather(self._flight, return_exceptions=True)
        await self._calls.close()

    @property
    def is_fresh(self) -> bool:
        """Whether the list is within its lifetime."""
        return self._state.is_fresh(self._deps.clock.now())

    @property
    def so_far(self) -> Problem:
        """The last try that failed in the refresh under way; without one, that no whole answer has come yet."""
        error = self._lists.error or TimedOut(f"{self.upstream.name} has not answered in full yet.")
        met = problems.of_error(error, at=self._deps.clock.now())
        return replace(met, message=f"{met.message} The refresh goes on. providerHealth shows how it ends.")

    @property
    def quarantine_id(self) -> str | None:
        """The id of the held-back list, if one waits."""
        waiting = self._lists.gate.quarantine
        return waiting.id if waiting else None

    async def decide(self, quarantine_id: str, *, accept: bool) -> ProviderState:
        """Accept or discard the held-back list. Raises BadUserInput if it is no longer the one that waits."""
        async with self._turn:
            if self.quarantine_id != quarantine_id:
                raise BadUserInput(
                    "This list is not held back any more. Read providerHealth { quarantine { id } } again."
                )
            gate = self._lists.gate
            if accept and (held := gate.waiting):
                await self._publish(Decided(listing=held.listing, as_of=held.as_of))
                self._lists.forget()
                await gate.clear(accepted=True)
            else:
                await gate.discard()
                await self._publish(Decided(problem=gate.problem()))
        return self._state

    async def _fly(self, priority: Priority) -> ProviderRefresh:
        started = self._deps.clock.monotonic()
        self._lists.error = None
        self._progress.step(RefreshStep.WAITING)
        async with self._turn:
            before = self._state
            seen, changes = await self._update(priority) if self.upstream.configured else (None, ())
            after = self._state
        seconds = self._deps.clock.monotonic() - started
        result = await asyncio.to_thread(refresh_result, before, after, seen, changes, seconds=seconds)
        self._progress.done(result)
        self._moved.set()
        self._flight = None  # which would hold on to all changes until the next one
        return result

    async def _update(self, priority: Priority) -> tuple[Observation, Sequence[Change]]:
        try:
            await self._half_open()
            seen = await self._lists.observe(priority, self._state)
            changes = await self._publish(seen)
            if isinstance(seen, ListTaken):
                self._lists.took(seen)
        except StoreError:  # which the ledger logs
            fault = self._fault(Fault.NOT_STORED)
        except ServerStarved as error:
            fault = self._fault(Fault.STARVED, error=error)
        except Exception:
            log.exception("list_not_taken", provider=self.upstream.id)
            fault = self._fault(Fault.NOT_TAKEN)
        else:
            return seen, changes
        return fault, await self._publish(fault)

    async def _probe(self) -> None:
        async with self._turn:
            await self._half_open()
            try:
                seen: Observation = await probe(
                    self.upstream, self._calls, self._key, retried=self._state.health.takes_lists
                )
            except ServerStarved as error:
                seen = self._fault(Fault.STARVED, error=error, of_list=False)
            await self._publish(seen)

    async def _half_open(self) -> None:
        if self._state.health.breaker is BreakerState.OPEN:
            await self._deps.ledger.publish(self.upstream.id, ProbeStarted())

    async def _publish(self, seen: Observation) -> Sequence[Change]:
        before, at = self._state.health, self._deps.clock.now()
        plan = self._schedule.note(seen, at=at)
        self._deps.recorder.note(self.upstream.id, seen, at=at)
        try:
            return await self._deps.ledger.publish(self.upstream.id, replace(seen, plan=plan))
        finally:  # a list that could not be stored hides no change of health
            after = self._state.health
            self._deps.recorder.moved(before, after, at=self._deps.clock.now())
            if after.is_half_up:
                self._schedule.hurry(seen)

    def _fault(self, fault: Fault, *, error: ServerStarved | None = None, of_list: bool = True) -> Faulted:
        if error is not None:
            log.error("server_starved", provider=self.upstream.id, error=str(error))
        return Faulted(problem=fault.problem(self._deps.clock.now()), of_list=of_list, lasts=error is None)

"""One provider's coordinator: it alone decides when the provider is asked, and what an answer or its absence means.

Failures have four meanings. Unreachable: back off, and three in a row take the provider down. Rejected: a refused key
rests for 15 minutes while a public list is read without it, and a 429 is waited out as told. Malformed: the last good
list is kept. Suspicious: the list is held back. In none of them does a reader wait or lose the last good list. What
breaks on our side (a full disk, no file descriptors left) is no failure of the provider and only noted.

It is long because refreshes, probes and an admin's decision share one turn, one schedule and one memory of the list.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

import structlog

from backends.errors import StoreError
from catalogue.change import Change, counts
from catalogue.errors import BadUserInput
from catalogue.health import Problem
from catalogue.listing import Listing, confirmed, merged
from catalogue.ports.store import Held
from catalogue.refresh import ProviderRefresh
from catalogue.snapshot import ProviderState
from catalogue.vocabulary import RefreshOutcome, RefreshStep
from polling.quarantine import Ward
from polling.record import ProviderRecord, Surroundings
from polling.schedule import MAX_PAUSE, Schedule
from upstream import problems
from upstream.call_rate import Priority
from upstream.calls import CallSource
from upstream.errors import ServerStarved, Throttled, Unauthorized, UpstreamError
from upstream.list_reader import ListRead, ListReader
from upstream.parse import ParsedList
from upstream.probe import Answered, probe
from upstream.server_key import ServerKey
from upstream.upstream import Upstream

_PROBE_RETRIES = 1
"""So that a single lost packet degrades nobody."""
_IDLE_SECONDS = 3600.0

Outcome = tuple[RefreshOutcome, Problem | None, Sequence[Change]]

log = structlog.get_logger(__name__)


class Coordinator:
    """Polls one provider, answers refreshes, and keeps the last good list."""

    def __init__(
        self, *, upstream: Upstream, calls: CallSource, shared: Surroundings, held: Held | None = None
    ) -> None:
        self.upstream = upstream
        self._calls = calls
        self._shared = shared
        self._ward = Ward(
            provider_id=upstream.id, store=shared.store, clock=shared.clock, limits=shared.guard, held=held
        )
        self._schedule = Schedule(timing=shared.timing, clock=shared.clock, rng=shared.rng)
        self._record = ProviderRecord(upstream=upstream, ward=self._ward, schedule=self._schedule, shared=shared)
        self._key = ServerKey(upstream=upstream, clock=shared.clock)
        self._tell = partial(shared.progress.tell, upstream.id)
        self._reader = ListReader(upstream=upstream, calls=calls, key=self._key, parser=shared.parser, tell=self._tell)
        self._turn = asyncio.Lock()
        self._moved = asyncio.Event()
        self._flight: asyncio.Task[ProviderRefresh] | None = None
        self._read_with_key: bool | None = None
        self._references: dict[bool, Listing] = {}
        self._list_problem: Problem | None = None
        self._check_problem: Problem | None = None

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            try:
                await self._step()
            except Exception:
                log.exception("poll_broken", provider=self.upstream.id)
                self._schedule.unlisted()
            await self._rest()

    async def _rest(self) -> None:
        """Sleep until something is due; an admin's refresh moves that, and so ends the rest."""
        self._moved.clear()
        due = self._record.due
        wait = _IDLE_SECONDS if due is None else due - self._shared.clock.monotonic()
        sleep = self._shared.clock.sleep(min(max(wait, 0.0), _IDLE_SECONDS))
        ends = {asyncio.create_task(sleep), asyncio.create_task(self._moved.wait())}
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    async def _step(self) -> None:
        now, due = self._shared.clock.monotonic(), self._record.due
        if due is None or now < due:
            return
        only_probes = self._record.is_down and not self._record.is_half_up
        if now >= self._schedule.list_due and not only_probes:
            await self.refresh(Priority.POLL)
        else:
            await self._probe()

    async def refresh(self, priority: Priority) -> ProviderRefresh:
        """Fetch the list now; refreshes that overlap share one flight, which outlives a caller that goes away."""
        if self._flight is None or self._flight.done():
            self._flight = asyncio.create_task(self._fly(priority), name=f"list:{self.upstream.id}")
        return await asyncio.shield(self._flight)

    async def stop(self) -> None:
        """Give up what is under way; a call cut short is no failure."""
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.gather(self._flight, return_exceptions=True)
        await self._calls.close()

    @property
    def fresh(self) -> bool:
        """Whether the list is within its lifetime."""
        listing = self._record.state.listing
        if listing.as_of is None or not listing.is_reference:
            return False
        age = self._shared.clock.now() - listing.as_of
        return timedelta(0) <= age <= self._shared.timing.list_ttl

    @property
    def so_far(self) -> Problem:
        """What a refresh under way has met: the last try that failed, or that nothing whole has come yet."""
        met = problems.of_error(self._reader.trouble(), at=self._shared.clock.now())
        return replace(met, message=f"{met.message} The refresh goes on; providerHealth tells how it ends.")

    @property
    def quarantine_id(self) -> str | None:
        """The id of the held-back list, if one waits."""
        return self._ward.quarantine.id if self._ward.quarantine else None

    async def decide(self, quarantine_id: str, *, accept: bool) -> ProviderState:
        """Accept or discard the held-back list; BadUserInput when another one, or none, waits by now."""
        async with self._turn:
            if self.quarantine_id != quarantine_id:
                raise BadUserInput(
                    "This list is not held back any more. Read providerHealth { quarantine { id } } anew."
                )
            if accept:
                self._reader.forget()
                self._references.clear()
                accepted = await self._ward.release()
                await self._record.eased(relist=lambda before: accepted or before)
            else:
                await self._ward.discard()
                await self._record.eased()
        return self._record.state

    async def _fly(self, priority: Priority) -> ProviderRefresh:
        started = self._shared.clock.monotonic()
        self._reader.begin()
        self._tell(RefreshStep.WAITING)
        async with self._turn:
            before = self._record.state.listing
            outcome = await self._settled(priority)
            after = self._record.state
        result = await self._result(before, after, outcome, seconds=self._shared.clock.monotonic() - started)
        self._tell(RefreshStep.DONE, model_count=result.model_count, result=result)
        self._moved.set()
        self._flight = None  # which would hold on to all changes until the next one
        return result

    async def _result(
        self, before: Listing, after: ProviderState, reached: Outcome, *, seconds: float
    ) -> ProviderRefresh:
        outcome, problem, changes = reached
        first = not before.is_reference and after.listing.is_reference
        told = await asyncio.to_thread(counts, changes)
        added, removed, changed = (after.model_count, 0, 0) if first else told
        return ProviderRefresh(
            provider_id=self.upstream.id,
            outcome=outcome,
            added=added,
            removed=removed,
            changed=changed,
            model_count=after.model_count,
            duration_ms=seconds * 1000,
            error=problem,
            changes=tuple(changes),
        )

    async def _settled(self, priority: Priority) -> Outcome:
        try:
            return await self._listed(priority)
        except ServerStarved as error:
            problem = self._starved(error)
        except StoreError:  # which the ledger tells
            problem = self._record.note = problems.not_stored(at=self._shared.clock.now())
        except Exception:
            log.exception("list_not_taken", provider=self.upstream.id)
            problem = self._record.note = problems.not_taken(at=self._shared.clock.now())
        self._schedule.unlisted()
        await self._record.noted(problem)
        return RefreshOutcome.FAILED, problem, ()

    async def _listed(self, priority: Priority) -> Outcome:
        if not self.upstream.configured:
            return RefreshOutcome.SKIPPED, self._record.state.standing.error, ()
        try:
            await self._record.half_open()
            read = await self._reader.read(priority, known=self._record.state.listing.models)
            self._tell(RefreshStep.COMPARING, model_count=len(read.parsed.models) if read.parsed else None)
            return await self._take(read)
        except UpstreamError as error:
            return await self._unlisted(error)

    async def _take(self, read: ListRead) -> Outcome:
        now, parsed, latency_ms = self._shared.clock.now(), read.parsed, read.fetched.latency_ms
        self._schedule.listed()
        self._list_problem = self._record.note = None
        if parsed is None:
            await self._ward.clear()
        elif await self._suspicious(parsed, with_key=read.with_key):
            await self._record.answered(latency_ms, self._problem)
            held = self._ward.quarantine is not None
            return (RefreshOutcome.QUARANTINED if held else RefreshOutcome.KEPT_LAST_GOOD), self._ward.problem(), ()
        before = self._record.state.listing.models
        changes = await self._record.answered(
            latency_ms,
            self._problem,
            dropped=parsed.dropped if parsed else None,
            relist=lambda old: merged(old, parsed.models, at=now) if parsed else confirmed(old, at=now),
        )
        self._reader.took(read)
        self._read_with_key = read.with_key
        self._references[read.with_key] = self._record.state.listing
        self._ask_once_more()
        same = self._record.state.listing.models is before
        return (RefreshOutcome.UNCHANGED if same else RefreshOutcome.UPDATED), self._key.problem, changes

    async def _suspicious(self, parsed: ParsedList, *, with_key: bool) -> bool:
        # A list read with a key and one read without are different lists: each is measured by the last good one of its
        # kind. A key's first own list has no measure; the public one that stands in for it has the list it replaces.
        reference = self._references.get(with_key)
        if reference is None and with_key and self._read_with_key is False:
            await self._ward.clear()
            return False
        return await self._ward.holds(self._record.state.listing, parsed.models, reference=reference)

    async def _unlisted(self, error: UpstreamError) -> Outcome:
        self._schedule.unlisted()
        self._wait_as_told(error)
        problem = self._list_problem = problems.of_error(error, at=self._shared.clock.now())
        changes = await self._record.troubled(problem, listing=True)
        if error.retry_after is None:
            self._ask_once_more()
        kept = bool(self._record.state.listing.models)
        return (RefreshOutcome.KEPT_LAST_GOOD if kept else RefreshOutcome.FAILED), problem, changes

    async def _probe(self) -> None:
        async with self._turn:
            await self._record.half_open()
            retries = 0 if self._record.is_down else _PROBE_RETRIES
            try:
                found = await probe(self.upstream, self._calls, self._key, retries=retries)
            except UpstreamError as error:
                self._schedule.troubled()
                self._wait_as_told(error)
                await self._record.troubled(problems.of_error(error, at=self._shared.clock.now()), listing=False)
            except ServerStarved as error:
                self._schedule.troubled()
                await self._record.noted(self._starved(error))
            else:
                await self._probed(found)

    async def _probed(self, found: Answered) -> None:
        if found.trouble is None:
            self._check_problem = None
            self._schedule.probed()
        else:
            self._check_problem = problems.of_check(found.trouble, at=self._shared.clock.now())
            self._schedule.troubled()
        await self._record.answered(found.latency_ms, self._problem)
        if self._record.is_half_up:
            # The second answer that brings it back should be the list itself.
            self._schedule.hurry_list()

    def _ask_once_more(self) -> None:
        """One that is down and has answered is probed at once: a second answer in a row brings it back."""
        if self._record.is_half_up:
            self._schedule.hurry_probe()

    def _wait_as_told(self, error: UpstreamError) -> None:
        told = min(error.retry_after or 0.0, MAX_PAUSE)
        if isinstance(error, Throttled):
            told = max(told, self._shared.timing.health_ttl.total_seconds())
        self._schedule.pause(self._shared.clock.monotonic() + told)
        if isinstance(error, Unauthorized) and self.upstream.adapter.needs_key and self._key.rests_until:
            self._schedule.pause(self._key.rests_until)

    @property
    def _problem(self) -> Problem | None:
        """What keeps the provider from being of full use although it answers."""
        return self._list_problem or self._check_problem or self._key.problem

    def _starved(self, error: ServerStarved) -> Problem:
        log.error("server_starved", provider=self.upstream.id, error=str(error))
        return problems.not_asked(at=self._shared.clock.now())

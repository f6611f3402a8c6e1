"""From a provider's list to an observation: read, compared with the last good one, and let through or held back."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

import structlog

from catalogue.guard import GuardLimits, suspicion
from catalogue.health import Suspicion
from catalogue.listing import Listing, confirmed, merged
from catalogue.observation import HeldBack, ListFailed, ListTaken
from catalogue.ports.revisions import Held
from catalogue.provider import ProviderState
from catalogue.vocabulary import RefreshStep
from polling.deps import PollingDeps
from polling.progress import ProviderProgress
from polling.quarantine import QuarantineGate
from upstream import problems
from upstream.call_rate import Priority
from upstream.calls import CallPolicy, CallSource
from upstream.errors import TimedOut, Unauthorized, UpstreamError
from upstream.lists import FetchedList, ListVersion, fetch_list
from upstream.parse import ParsedList
from upstream.server_key import ServerKey
from upstream.upstream import Upstream

ListObservation = ListTaken | HeldBack | ListFailed

_PAGE_BUDGET = 60.0
"""Seconds for one page of a list with its retries."""
_LIST_SECONDS = 180.0
"""Seconds for all pages of a list."""
_ADMINS_PATIENCE = 3.0
"""Seconds after which an admin's refresh starts no new try, so that its result includes the error."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Read:
    """Which list was read, and whether with the server's key."""

    version: ListVersion | None = None
    with_key: bool | None = None


class ListUpdate:
    """Reads lists of one provider, and remembers the ones that were taken."""

    def __init__(
        self,
        *,
        upstream: Upstream,
        calls: CallSource,
        key: ServerKey,
        deps: PollingDeps,
        progress: ProviderProgress,
        held: Held | None,
    ) -> None:
        self._upstream = upstream
        self._calls = calls
        self._key = key
        self._deps = deps
        self._progress = progress
        self.gate = QuarantineGate(provider_id=upstream.id, revisions=deps.revisions, clock=deps.clock, held=held)
        self._read = self._taken = _Read()
        self._references: dict[bool, Listing] = {}
        """The last good list that was read with a key, and the last one without: they are different lists."""
        self.error: UpstreamError | None = None
        """The last try that failed in the present refresh; the coordinator clears it."""

    def forget(self) -> None:
        """Forget the lists that were taken, because another one is served now."""
        self._taken = _Read(with_key=self._taken.with_key)
        self._references.clear()

    async def observe(self, priority: Priority, state: ProviderState) -> ListObservation:
        """Read the list. Call `took` once a list that was taken is published."""
        before = state.lasting.listing
        try:
            fetched, with_key = await self._fetch(priority)
            self._read = _Read(fetched.version, with_key)
            parsed = None
            if self._taken.version is None or fetched.version.digest != self._taken.version.digest:
                self._progress.step(RefreshStep.READING, received=sum(map(len, fetched.bodies)))
                parsed = await self._deps.parser.parse(self._upstream, fetched.bodies, known=before.models)
        except UpstreamError as error:
            return ListFailed(problem=problems.of_error(error, at=self._deps.clock.now()), key=self._key.problem)
        at = self._deps.clock.now()
        self._progress.step(RefreshStep.COMPARING, model_count=len(parsed.models) if parsed else None)
        measured = self._measured(before, with_key=with_key) if parsed else None
        suspected, listing = await asyncio.to_thread(_compared, before, measured, parsed, self._deps.guard, at=at)
        if parsed is not None and suspected is not None:
            await self.gate.hold(suspected, listing, len(parsed.models))
            return HeldBack(
                quarantine=self.gate.quarantine,
                problem=self.gate.problem() or problems.Fault.NOT_TAKEN.problem(at),
                latency_ms=fetched.latency_ms,
                key=self._key.problem,
            )
        await self.gate.clear()
        dropped = parsed.dropped if parsed else None
        if dropped:
            log.warning("rows_dropped", provider=self._upstream.id, rows=dropped)
        return ListTaken(
            listing=listing,
            latency_ms=fetched.latency_ms,
            dropped=dropped,
            problem=problems.of_dropped(dropped, at=at) if dropped else None,
            key=self._key.problem,
        )

    def took(self, taken: ListTaken) -> None:
        """Remember the list that was read last: when it comes again, it need not be parsed."""
        self._taken = self._read
        self._references[bool(self._read.with_key)] = taken.listing

    def _measured(self, before: Listing, *, with_key: bool) -> Listing | None:
        """The list that the guard compares a new one with; null for a key's first own list, which has no measure."""
        reference = self._references.get(with_key)
        # The public list that stands in for a key's list is compared with the list that it replaces.
        measured = reference is not None or not with_key or self._taken.with_key is not False
        return (reference or before) if measured else None

    async def _fetch(self, priority: Priority) -> tuple[FetchedList, bool]:
        """Fetch the list, and return whether it was read with the server's key."""
        urgent = priority is Priority.ADMIN
        call = self._calls.at(
            CallPolicy(
                priority=priority,
                budget=_PAGE_BUDGET,
                patience=_ADMINS_PATIENCE if urgent else _PAGE_BUDGET,
                received=self._progress.received,
                failing=self._note_error,
            )
        )
        key = self._key.usable(urgent=urgent)
        self._progress.step(RefreshStep.FETCHING)
        try:
            async with asyncio.timeout(_LIST_SECONDS):
                try:
                    fetched = await fetch_list(self._upstream, call, key=key, known=self._taken.version)
                except Unauthorized as error:
                    if key is None:
                        raise
                    self._key.refused(error)
                    if self._upstream.adapter.needs_key:
                        raise
                    return await fetch_list(self._upstream, call, key=None), False
        except TimeoutError:
            raise TimedOut(f"The list of {self._upstream.name} did not come within {_LIST_SECONDS:g} s.") from None
        if key is not None:
            self._key.accepted()
        return fetched, key is not None

    def _note_error(self, error: UpstreamError) -> None:
        self.error = error


def _compared(
    before: Listing, reference: Listing | None, parsed: ParsedList | None, limits: GuardLimits, *, at: datetime
) -> tuple[Suspicion | None, Listing]:
    if parsed is None:
        return None, confirmed(before, at=at)
    suspected = suspicion(reference, parsed.models, limits) if reference is not None else None
    return suspected, merged(before, parsed.models, at=at)

"""From a provider's list to an observation: read, compared with the last good one, and let through or held back."""

import asyncio
from datetime import datetime
from functools import partial

import structlog

from catalogue.guard import GuardLimits, Suspicion, suspicion
from catalogue.listing import Listing, confirmed, merged
from catalogue.observation import HeldBack, ListFailed, ListTaken
from catalogue.ports.revisions import Held
from catalogue.provider import ProviderState
from catalogue.vocabulary import RefreshStep
from polling.deps import PollingDeps
from polling.quarantine import QuarantineGate
from upstream import problems
from upstream.call_rate import Priority
from upstream.calls import CallSource
from upstream.errors import UpstreamError
from upstream.list_reader import ListRead, ListReader
from upstream.parse import ParsedList
from upstream.server_key import ServerKey
from upstream.upstream import Upstream

ListObservation = ListTaken | HeldBack | ListFailed

log = structlog.get_logger(__name__)


class ListUpdate:
    """Reads lists of one provider, and remembers the ones that were taken."""

    def __init__(
        self, *, upstream: Upstream, calls: CallSource, key: ServerKey, deps: PollingDeps, held: Held | None
    ) -> None:
        self._upstream = upstream
        self._key = key
        self._clock = deps.clock
        self._tell = partial(deps.progress.tell, upstream.id)
        self._guard = deps.guard
        self.gate = QuarantineGate(provider_id=upstream.id, revisions=deps.revisions, clock=deps.clock, held=held)
        self._reader = ListReader(upstream=upstream, calls=calls, key=key, parser=deps.parser, tell=self._tell)
        self._read: ListRead | None = None
        self._read_with_key: bool | None = None
        self._references: dict[bool, Listing] = {}
        """The last good list that was read with a key, and the last one without: they are different lists."""

    def begin(self) -> None:
        """Forget the failed tries of the refresh before."""
        self._reader.begin()

    def trouble(self) -> UpstreamError:
        """The last try that failed in the present refresh."""
        return self._reader.trouble()

    def forget(self) -> None:
        """Forget the lists that were taken, for another one is served now."""
        self._reader.forget()
        self._references.clear()

    async def observe(self, priority: Priority, state: ProviderState) -> ListObservation:
        """Read the list. Call `took` once a list that was taken is published."""
        try:
            read = await self._reader.read(priority, known=state.listing.models)
        except UpstreamError as error:
            problem = problems.of_error(error, at=self._clock.now())
            return ListFailed(problem=problem, key=self._key.problem)
        self._tell(RefreshStep.COMPARING, model_count=len(read.parsed.models) if read.parsed else None)
        if read.parsed is None:
            doubt, listing = None, await asyncio.to_thread(confirmed, state.listing, at=self._clock.now())
        else:
            doubt, listing = await self._compare(state.listing, read.parsed, with_key=read.with_key)
        if read.parsed is not None and doubt is not None:
            return await self._held(doubt, listing, read, len(read.parsed.models))
        await self.gate.clear()
        self._read = read
        return self._taken(listing, read)

    def took(self, taken: ListTaken) -> None:
        """Remember the list that was read last: when it comes again, it need not be parsed."""
        if self._read is not None:
            self._reader.took(self._read)
            self._read_with_key = self._read.with_key
            self._references[self._read.with_key] = taken.listing

    async def _compare(
        self, before: Listing, parsed: ParsedList, *, with_key: bool
    ) -> tuple[Suspicion | None, Listing]:
        reference = self._references.get(with_key)
        # A key's first own list has no measure. The public one that stands in for it has the list that it replaces.
        measured = reference is not None or not with_key or self._read_with_key is not False
        return await asyncio.to_thread(
            _compared, before, (reference or before) if measured else None, parsed, self._guard, at=self._clock.now()
        )

    async def _held(self, doubt: Suspicion, listing: Listing, read: ListRead, count: int) -> HeldBack:
        await self.gate.hold(doubt, listing, count)
        return HeldBack(
            quarantine=self.gate.quarantine,
            problem=self.gate.problem() or problems.not_taken(at=self._clock.now()),
            latency_ms=read.fetched.latency_ms,
            key=self._key.problem,
        )

    def _taken(self, listing: Listing, read: ListRead) -> ListTaken:
        dropped = read.parsed.dropped if read.parsed else None
        if dropped:
            log.warning("rows_dropped", provider=self._upstream.id, rows=dropped)
        return ListTaken(
            listing=listing,
            latency_ms=read.fetched.latency_ms,
            dropped=dropped,
            problem=problems.of_dropped(dropped, at=self._clock.now()) if dropped else None,
            key=self._key.problem,
        )


def _compared(
    before: Listing, reference: Listing | None, parsed: ParsedList, limits: GuardLimits, *, at: datetime
) -> tuple[Suspicion | None, Listing]:
    doubt = suspicion(reference, parsed.models, limits) if reference is not None else None
    return doubt, merged(before, parsed.models, at=at)

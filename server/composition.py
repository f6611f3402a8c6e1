"""The composition root: creates each part once with its dependencies, starts it, and closes all in reverse order."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import Random

import structlog
from pydantic import SecretStr

from backends.retention import Retention
from backends.sqlite import SqliteStore, open_store
from catalogue.guard import GuardLimits
from catalogue.ports.clock import Clock
from catalogue.ports.reading import Reader
from polling.callers import OwnLists
from polling.clock import SystemClock
from polling.cold_start import held_back
from polling.coordinator import Coordinator
from polling.deps import PollingDeps
from polling.endpoints import OnDemandEndpoints
from polling.feed import Feed
from polling.poller import Poller
from polling.progress import Progress
from polling.restore import RestoredRun, restore
from polling.schedule import Timing
from server.config.settings import Settings
from upstream.call_rate import Priority
from upstream.calls import CallPolicy, Calls
from upstream.http import session
from upstream.parsing import Parser
from upstream.upstream import Upstream

_ON_DEMAND = CallPolicy(priority=Priority.DEMAND, budget=30.0, retries=1)
"""For a call made on demand; its reader waits much less than this budget."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The running parts of the catalogue."""

    clock: Clock
    store: SqliteStore
    reader: Reader
    feed: Feed
    poller: Poller
    endpoints: OnDemandEndpoints
    own_lists: OwnLists

    def end_streams(self) -> None:
        """End all subscribers' streams; call it when the server begins to stop."""
        self.feed.close()
        self.poller.end_streams()


@asynccontextmanager
async def running(
    settings: Settings, upstreams: Sequence[Upstream], *, secret: SecretStr, claim: Callable[[], None]
) -> AsyncIterator[Parts]:
    """Open the store, restore the catalogue from it, and poll all providers until the block ends.

    `claim` is called before each write to check the lock on the data folder, see `open_store`.

    Raises:
        StoreUnusable: the data folder cannot be written.
        StoreConflict: another server uses it.
    """
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(_opened_store(settings, clock, claim))
        http = await stack.enter_async_context(session())
        run = await restore(store, upstreams, list_ttl=timedelta(seconds=settings.model_list_ttl), clock=clock)
        deps = _deps(settings, store, run, clock)
        calls = {u.id: Calls(upstream=u, session=http, clock=clock) for u in upstreams}
        on_demand = {id_: made.at(_ON_DEMAND) for id_, made in calls.items()}
        by_id = {u.id: u for u in upstreams}
        endpoints = OnDemandEndpoints(
            reader=run.current,
            upstreams=by_id,
            calls=on_demand,
            secret=secret,
            clock=clock,
            ttl=timedelta(seconds=settings.model_details_ttl),
        )
        stack.push_async_callback(endpoints.close)
        own_lists = OwnLists(
            reader=run.current,
            upstreams=by_id,
            calls=on_demand,
            parser=deps.parser,
            secret=secret,
            clock=clock,
            list_ttl=deps.timing.list_ttl,
            wait=settings.key_wait_seconds,
        )
        stack.push_async_callback(own_lists.close)
        coordinators = {
            u.id: Coordinator(upstream=u, calls=calls[u.id], deps=deps, held=held_back(u, run.stored))
            for u in upstreams
        }
        poller = Poller(coordinators=coordinators, deps=deps, trim=store.trim)
        poller.start()
        stack.push_async_callback(poller.stop)
        yield Parts(
            clock=clock,
            store=store,
            reader=run.current,
            feed=run.feed,
            poller=poller,
            endpoints=endpoints,
            own_lists=own_lists,
        )


@asynccontextmanager
async def _opened_store(settings: Settings, clock: Clock, claim: Callable[[], None]) -> AsyncIterator[SqliteStore]:
    retention = Retention(audit_age=timedelta(days=settings.audit_retention_days))
    store = await open_store(settings.store_file, clock=clock.now, retention=retention, claim=claim)
    try:
        if store.notice:
            log.warning("store_moved_aside", reason=store.notice)
        yield store
    finally:
        await store.close()


def _deps(settings: Settings, store: SqliteStore, run: RestoredRun, clock: Clock) -> PollingDeps:
    return PollingDeps(
        ledger=run.ledger,
        reader=run.current,
        revisions=store,
        parser=Parser(),
        recorder=run.recorder,
        progress=Progress(),
        clock=clock,
        timing=Timing(
            list_ttl=timedelta(seconds=settings.model_list_ttl),
            health_ttl=timedelta(seconds=settings.provider_health_ttl),
        ),
        guard=GuardLimits(removed_share=settings.guard_removed_share, repriced_share=settings.guard_repriced_share),
        rng=Random(),  # noqa: S311 - only spreads polls over time
    )

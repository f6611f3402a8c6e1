"""The composition root: creates each part once with its dependencies, starts it, and closes all in reverse order."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
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
from polling.callers import OwnLists
from polling.clock import SystemClock
from polling.coordinator import Coordinator
from polling.deps import OnDemandDeps, PollingDeps
from polling.endpoints import OnDemandEndpoints
from polling.feed import Feed
from polling.poller import Poller
from polling.progress import Progress
from polling.restore import RestoredRun, restore
from polling.schedule import Timing
from resolvers.services import Services
from server import collector
from server.callers.audit_log import AuditLog
from server.callers.client_limits import ClientLimits
from server.config.settings import Settings
from upstream.call_rate import Priority
from upstream.calls import CallPolicy, Calls
from upstream.http import session
from upstream.parsing import Parser
from upstream.upstream import Upstream

_ON_DEMAND = CallPolicy(priority=Priority.DEMAND, budget=30.0, retries=1)
"""For a call made on demand; its reader waits much less than this budget."""

Claim = Callable[[], None]
"""Checks the lock on the data folder before each write, see `open_store`."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The running parts of the catalogue."""

    services: Services
    feed: Feed
    poller: Poller

    def end_streams(self) -> None:
        """End all subscribers' streams; call it when the server begins to stop."""
        self.feed.close()
        self.poller.end_streams()


@asynccontextmanager
async def running(
    settings: Settings, upstreams: Sequence[Upstream], *, secret: SecretStr, limits: ClientLimits, claim: Claim
) -> AsyncIterator[Parts]:
    """Open the store, restore the catalogue from it, and poll all providers until the block ends.

    Raises StoreUnusable if the data folder cannot be written, and StoreConflict if another server uses it.
    """
    clock = SystemClock()
    retention = Retention(audit_age=timedelta(days=settings.audit_retention_days))
    async with AsyncExitStack() as closing:
        store = await open_store(settings.store_file, clock=clock.now, retention=retention, claim=claim)
        closing.push_async_callback(store.close)
        if store.notice:
            log.warning("store_moved_aside", reason=store.notice)
        http = await closing.enter_async_context(session())
        run = await restore(store, upstreams, list_ttl=timedelta(seconds=settings.model_list_ttl), clock=clock)
        deps = _deps(settings, store, run, clock)
        calls = {u.id: Calls(upstream=u, session=http, clock=clock) for u in upstreams}
        endpoints, own_lists = _on_demand(settings, upstreams, calls, deps, secret)
        poller = _poller(upstreams, calls, deps, run, store)
        audit = AuditLog(store)
        poller.start()
        for close in (endpoints.close, own_lists.close, poller.stop):
            closing.push_async_callback(close)
        closing.push_async_callback(_cancel, [asyncio.create_task(audit.run()), asyncio.create_task(collector.keep())])
        services = Services(
            reader=run.current,
            feed=run.feed,
            refresher=poller,
            history=store,
            endpoints=endpoints,
            own_lists=own_lists,
            audit=audit,
            client_limits=limits,
            clock=clock.now,
            default_model=settings.default_model,
            migrations=tuple(entry.migration() for entry in settings.migrations),
        )
        yield Parts(services=services, feed=run.feed, poller=poller)


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


def _poller(
    upstreams: Sequence[Upstream], calls: Mapping[str, Calls], deps: PollingDeps, run: RestoredRun, store: SqliteStore
) -> Poller:
    coordinators = {
        u.id: Coordinator(upstream=u, calls=calls[u.id], deps=deps, held=run.stored.held.get(u.id)) for u in upstreams
    }
    return Poller(coordinators=coordinators, deps=deps, trim=store.trim)


def _on_demand(
    settings: Settings, upstreams: Sequence[Upstream], calls: Mapping[str, Calls], deps: PollingDeps, secret: SecretStr
) -> tuple[OnDemandEndpoints, OwnLists]:
    on_demand = OnDemandDeps(
        reader=deps.reader,
        upstreams={u.id: u for u in upstreams},
        calls={id_: made.at(_ON_DEMAND) for id_, made in calls.items()},
        parser=deps.parser,
        secret=secret,
        clock=deps.clock,
    )
    endpoints = OnDemandEndpoints(on_demand, ttl=timedelta(seconds=settings.model_details_ttl))
    return endpoints, OwnLists(on_demand, list_ttl=deps.timing.list_ttl, wait=settings.key_wait_seconds)


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

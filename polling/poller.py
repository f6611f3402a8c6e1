"""All coordinators: started and stopped together, and refreshed on demand."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import structlog

from catalogue.errors import BadUserInput, NotStored
from catalogue.ports.errors import StoreError
from catalogue.provider import ProviderState
from catalogue.refresh import ProviderRefresh, RefreshProgress
from catalogue.vocabulary import RefreshOutcome
from polling.coordinator import Coordinator
from polling.deps import PollingDeps
from upstream.call_rate import Priority

REFRESH_SECONDS = 8.0
"""A provider still at work after this is reported as IN_PROGRESS; it goes on."""


Trim = Callable[[datetime], Awaitable[None]]
"""Drops stored data whose retention has ended at a moment."""

_FIRST_TRIM_SECONDS, _TRIM_SECONDS = 60.0, 3600.0

log = structlog.get_logger(__name__)


class Poller:
    """Keeps every provider in step with the world."""

    def __init__(self, *, coordinators: Mapping[str, Coordinator], deps: PollingDeps, trim: Trim) -> None:
        self._coordinators = coordinators
        self._deps = deps
        self._trimmed = trim
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin polling; returns at once."""
        for coordinator in self._coordinators.values():
            self._tasks.append(asyncio.create_task(coordinator.run(), name=f"poll:{coordinator.upstream.id}"))
        self._tasks.append(asyncio.create_task(self._evaluate(), name="evaluate"))
        self._tasks.append(asyncio.create_task(self._trim(), name="trim"))
        self._tasks.append(asyncio.create_task(self._deps.recorder.run(), name="health-history"))

    async def stop(self) -> None:
        """Stop polling, and write the health history that waits."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(c.stop() for c in self._coordinators.values()))
        with suppress(Exception):
            await self._deps.recorder.flush()

    def end_streams(self) -> None:
        """End the streams of refresh steps."""
        self._deps.progress.close()

    async def refresh(self, provider_ids: Sequence[str], *, force: bool) -> Sequence[ProviderRefresh]:
        """Fetch lists now, or only those past their lifetime; bounded, in the order of the ids."""
        flights = {
            id_: asyncio.create_task(self._refresh(self._coordinators[id_], force=force)) for id_ in provider_ids
        }
        if flights:
            await asyncio.wait(flights.values(), timeout=REFRESH_SECONDS)
        return [task.result() if task.done() else self._unfinished(id_) for id_, task in flights.items()]

    async def _refresh(self, coordinator: Coordinator, *, force: bool) -> ProviderRefresh:
        if not force and coordinator.is_fresh:
            return self._result(coordinator.upstream.id, RefreshOutcome.SKIPPED)
        return await coordinator.refresh(Priority.ADMIN)

    def _unfinished(self, provider_id: str) -> ProviderRefresh:
        result = self._result(provider_id, RefreshOutcome.IN_PROGRESS)
        return replace(result, duration_ms=REFRESH_SECONDS * 1000, error=self._coordinators[provider_id].so_far)

    def _result(self, provider_id: str, outcome: RefreshOutcome) -> ProviderRefresh:
        count = self._deps.reader.snapshot.providers[provider_id].model_count
        return ProviderRefresh(provider_id=provider_id, outcome=outcome, model_count=count, duration_ms=0.0)

    def progress(self) -> AsyncIterator[RefreshProgress]:
        """The steps of refreshes from now on."""
        return self._deps.progress.watch()

    async def resolve_quarantine(self, quarantine_id: str, *, accept: bool) -> ProviderState:
        """Accept or discard a held-back list; raises BadUserInput if it does not wait (any more)."""
        for coordinator in self._coordinators.values():
            if coordinator.quarantine_id == quarantine_id:
                try:
                    return await coordinator.decide(quarantine_id, accept=accept)
                except StoreError as error:
                    raise NotStored(f"The decision could not be stored, and was not made. {error}") from error
        raise BadUserInput("No list with this id is held back. Read providerHealth { quarantine { id } } again.")

    async def _evaluate(self) -> None:
        """Move statuses with the clock: an announced end passes, data grows old."""
        while True:
            await self._deps.clock.sleep(self._deps.timing.health_ttl.total_seconds())
            try:
                await self._deps.ledger.evaluate()
            except Exception:
                log.exception("statuses_not_evaluated")

    async def _trim(self) -> None:
        """Trim the store regularly."""
        pause = _FIRST_TRIM_SECONDS  # so that a server that is restarted often trims too
        while True:
            await self._deps.clock.sleep(pause)
            pause = _TRIM_SECONDS
            try:
                await self._trimmed(self._deps.clock.now())
            except StoreError as error:
                log.error("store_untrimmed", error=str(error))  # noqa: TRY400  the message is complete
            except Exception:
                log.exception("store_untrimmed")

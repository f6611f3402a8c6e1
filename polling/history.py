"""The health history and incidents, written as calls end, in batches, without making anyone wait."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from uuid import uuid4

import structlog

from catalogue.health import FAILURES, Health
from catalogue.history import Incident, Probe, Span, span_between
from catalogue.observation import Answered, CallFailed, HeldBack, ListFailed, ListTaken, Observation
from catalogue.ports.errors import StoreError
from catalogue.ports.health import HealthRecords
from catalogue.vocabulary import HealthStatus

_BACKLOG = 10_000
_PAUSE_SECONDS = 1.0

T = TypeVar("T")

log = structlog.get_logger(__name__)


class HealthRecorder:
    """Counts probes and the time between them, and opens and closes incidents, in the store."""

    def __init__(self, *, store: HealthRecords) -> None:
        self._store = store
        self._last: dict[str, Probe] = {}
        self._probes: deque[Probe] = deque(maxlen=_BACKLOG)
        self._spans: deque[Span] = deque(maxlen=_BACKLOG)
        self._edges: deque[Incident] = deque(maxlen=_BACKLOG)
        self._open: dict[str, Incident] = {}
        self._news = asyncio.Event()
        self._failing = False

    def probe(self, probe: Probe) -> None:
        """Count one call; its result is the provider's state until the next one."""
        last = self._last.get(probe.provider_id)
        self._last[probe.provider_id] = probe
        self._probes.append(probe)
        if last is not None and (span := span_between(last, probe)) is not None:
            self._spans.append(span)
        self._news.set()

    def resume(self, incidents: Iterable[Incident]) -> None:
        """Continue the incidents that an earlier run left open."""
        self._open.update((i.provider_id, i) for i in incidents if i.ended_at is None)

    def note(self, provider_id: str, seen: Observation, *, at: datetime) -> None:
        """Count a call by what was observed."""
        match seen:
            case ListTaken() | HeldBack() | Answered():
                self.probe(Probe(provider_id=provider_id, at=at, ok=True, latency_ms=seen.latency_ms))
            case ListFailed() | CallFailed():
                self.probe(Probe(provider_id=provider_id, at=at, ok=seen.problem.code not in FAILURES))

    def moved(self, before: Health, after: Health, *, at: datetime) -> None:
        """Note a change of status, once."""
        if before.status is after.status:
            return
        self.edge(after, at=at)
        log.info(
            "provider_health_changed",
            provider=after.provider_id,
            before=before.status.value,
            after=after.status.value,
            seconds=round((at - before.since).total_seconds(), 1) if before.since else None,
            error=after.error.message if after.error else None,
        )

    def edge(self, after: Health, *, at: datetime) -> None:
        """Note a provider's status: being down opens an incident, anything else closes an open one."""
        incident = self._open.get(after.provider_id)
        if after.status is HealthStatus.DOWN and incident is None and (problem := after.error) is not None:
            code, message = problem.code, problem.message
            incident = Incident(
                id=uuid4().hex, provider_id=after.provider_id, started_at=at, code=code, message=message
            )
            self._open[after.provider_id] = incident
        elif after.status is not HealthStatus.DOWN and incident is not None:
            del self._open[after.provider_id]
            incident = replace(incident, ended_at=max(at, incident.started_at))
        else:
            return
        self._edges.append(incident)
        self._news.set()

    async def run(self) -> None:
        """Write until cancelled. Entries that could not be stored wait for the next try."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self.flush()
                if self._failing:
                    log.info("health_history_written_again")
                self._failing = False
            except StoreError as error:
                self._log_failing(error=str(error))
            except Exception:  # noqa: BLE001 - logged with its traceback
                self._log_failing(exc_info=True)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def flush(self) -> None:
        """Write all entries that wait."""
        probes, self._probes = self._probes, deque(maxlen=_BACKLOG)
        spans, self._spans = self._spans, deque(maxlen=_BACKLOG)
        edges, self._edges = self._edges, deque(maxlen=_BACKLOG)
        try:
            if probes:
                await self._store.record(list(probes), list(spans))
                probes.clear()
                spans.clear()
            while edges:
                await self._store.open_incident(edges[0])
                edges.popleft()
        except Exception:
            self._probes, self._spans = _joined(probes, self._probes), _joined(spans, self._spans)
            self._edges = _joined(edges, self._edges)
            raise

    def _log_failing(self, **details: object) -> None:
        if not self._failing:
            log.error("health_history_waits", **details)
        self._failing = True
        self._news.set()


def _joined(waiting: deque[T], newer: deque[T]) -> deque[T]:
    """Both in order; if there are too many, the oldest are dropped."""
    return deque((*waiting, *newer), maxlen=_BACKLOG)

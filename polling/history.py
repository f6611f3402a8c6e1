"""The health history and incidents, written as calls end, in batches, without making anyone wait."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

import structlog

from catalogue.health import Problem, Standing
from catalogue.history import Incident, Probe
from catalogue.ports import Store
from catalogue.vocabulary import HealthStatus

_BACKLOG = 10_000
_PAUSE_SECONDS = 1.0

log = structlog.get_logger(__name__)


class HealthRecorder:
    """Counts probes and opens and closes incidents in the store."""

    def __init__(self, *, store: Store) -> None:
        self._store = store
        self._probes: deque[Probe] = deque(maxlen=_BACKLOG)
        self._edges: deque[Incident] = deque(maxlen=_BACKLOG)
        self._open: dict[str, Incident] = {}
        self._news = asyncio.Event()

    def probe(self, probe: Probe) -> None:
        """Count one call."""
        self._probes.append(probe)
        self._news.set()

    def resume(self, incidents: Iterable[Incident]) -> None:
        """Take up the incidents that an earlier run left open."""
        self._open.update((i.provider_id, i) for i in incidents if i.ended_at is None)

    def edge(self, after: Standing, *, at: datetime) -> None:
        """Note a provider's new status: going down opens an incident, answering again closes it."""
        incident = self._open.get(after.provider_id)
        if after.status is HealthStatus.DOWN and incident is None and after.error is not None:
            incident = self._open[after.provider_id] = _incident(after.provider_id, after.error, at)
            self._note(incident)
        elif after.status is not HealthStatus.DOWN and incident is not None:
            del self._open[after.provider_id]
            self._note(replace(incident, ended_at=at))

    def _note(self, incident: Incident) -> None:
        self._edges.append(incident)
        self._news.set()

    async def run(self) -> None:
        """Write until cancelled; a store that fails is told once and tried again with the next batch."""
        healthy = True
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self.flush()
                healthy = True
            except Exception:
                if healthy:
                    log.exception("health_history_unwritten")
                healthy = False
            await asyncio.sleep(_PAUSE_SECONDS)

    async def flush(self) -> None:
        """Write what waits."""
        probes, self._probes = list(self._probes), deque(maxlen=_BACKLOG)
        edges, self._edges = list(self._edges), deque(maxlen=_BACKLOG)
        if probes:
            await self._store.record(probes)
        for incident in edges:
            await self._store.open_incident(incident)


def _incident(provider_id: str, problem: Problem, at: datetime) -> Incident:
    return Incident(id=uuid4().hex, provider_id=provider_id, started_at=at, code=problem.code, message=problem.message)

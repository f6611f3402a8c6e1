"""The ports, played in memory."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import SecretStr

from catalogue.change import EVERYTHING, Change, ChangeFilter
from catalogue.endpoint import Endpoint, EndpointList
from catalogue.history import HealthBucket, Incident
from catalogue.ports.audit import AuditEntry
from catalogue.ports.limits import Allowance
from catalogue.ports.on_demand import KeyCheck, Overlay
from catalogue.position import Position, position_of
from catalogue.provider import ProviderState
from catalogue.refresh import ProviderRefresh, RefreshProgress
from catalogue.snapshot import Snapshot
from catalogue.vocabulary import (
    EndpointState,
    HealthStatus,
    KeyCheckOutcome,
    ProviderErrorCode,
    RefreshOutcome,
    UptimeWindow,
)
from resolvers.services import Services
from tests.resolvers.world import NOW, WORLD, position


@dataclass
class FakeReader:
    snapshot: Snapshot = WORLD


@dataclass
class FakeFeed:
    changes: Sequence[Change] = ()
    since: list[str | None] = field(default_factory=list)
    left: int = 0

    async def follow(self, since: str | None, wanted: ChangeFilter = EVERYTHING) -> AsyncIterator[Change]:
        self.since.append(since)
        if since is not None:
            position_of(since)
        try:
            for change in self.changes:
                if wanted.passes(change):
                    yield change
        finally:
            self.left += 1

    async def oldest(self) -> Position:
        return position(1)


@dataclass
class FakeRefresher:
    reader: FakeReader
    after: Snapshot | None = None
    """The snapshot that a refresh or a decision leads to."""
    results: Sequence[ProviderRefresh] = ()
    steps: Sequence[RefreshProgress] = ()
    calls: list[tuple[tuple[str, ...], bool]] = field(default_factory=list)
    resolved: list[tuple[str, bool]] = field(default_factory=list)
    error: Exception | None = None

    async def refresh(self, provider_ids: Sequence[str], *, force: bool) -> Sequence[ProviderRefresh]:
        self.calls.append((tuple(provider_ids), force))
        self._move()
        return self.results or [
            ProviderRefresh(provider_id=id_, outcome=RefreshOutcome.UNCHANGED) for id_ in provider_ids
        ]

    async def progress(self) -> AsyncIterator[RefreshProgress]:
        for step in self.steps:
            yield step

    async def resolve_quarantine(self, quarantine_id: str, *, accept: bool) -> ProviderState:
        self.resolved.append((quarantine_id, accept))
        self._move()
        return self.reader.snapshot.providers["alpha"]

    def _move(self) -> None:
        if self.error:
            raise self.error
        self.reader.snapshot = self.after or self.reader.snapshot


@dataclass
class FakeHistory:
    asked: list[tuple[tuple[str, ...], object]] = field(default_factory=list)

    async def health(
        self, provider_ids: Sequence[str], window: UptimeWindow, now: datetime
    ) -> Mapping[str, Sequence[HealthBucket]]:
        self.asked.append((tuple(provider_ids), window))
        hour = timedelta(hours=1)
        bucket = HealthBucket(start=now - hour, end=now, checks=4, failures=1, latency_ms=20.0)
        return {id_: (bucket,) for id_ in provider_ids if id_ != "beta"}

    async def incidents(self, provider_ids: Sequence[str], limit: int) -> Mapping[str, Sequence[Incident]]:
        self.asked.append((tuple(provider_ids), limit))
        return {
            id_: (
                Incident(
                    id=f"{id_}-1",
                    provider_id=id_,
                    started_at=NOW,
                    code=ProviderErrorCode.TIMEOUT,
                    message="No answer within 10 s.",
                ),
            )
            for id_ in provider_ids
        }


@dataclass
class FakeEndpoints:
    asked: list[tuple[str, ...]] = field(default_factory=list)

    async def endpoints(self, model_ids: Sequence[str]) -> Sequence[EndpointList]:
        self.asked.append(tuple(model_ids))
        place = Endpoint(name="Place", status=HealthStatus.DEGRADED, uptime_30m=0.5)
        return [EndpointList(state=EndpointState.READY, items=(place,), as_of=NOW) for _ in model_ids]


@dataclass
class FakeOwnLists:
    own: Mapping[str, ProviderState] = field(default_factory=dict)
    asked: int = 0

    async def overlay(self, snapshot: Snapshot, keys: Mapping[str, SecretStr]) -> Overlay:
        self.asked += 1
        held = tuple(id_ for id_ in self.own if id_ in keys)
        for id_ in held:
            snapshot = snapshot.with_provider(self.own[id_])
        return Overlay(snapshot=snapshot, own=held, waited=True)

    async def check(self, provider_id: str, key: SecretStr) -> KeyCheck:
        valid = key.get_secret_value() == f"{provider_id}-key"
        outcome = KeyCheckOutcome.VALID if valid else KeyCheckOutcome.INVALID
        return KeyCheck(outcome=outcome, model_count=3 if valid else None, message="Tried.")


@dataclass
class FakeAudit:
    notes: list[tuple[str, str, str, str | None]] = field(default_factory=list)
    entries: Sequence[AuditEntry] = ()

    def note(self, *, actor: str, action: str, outcome: str, target: str | None = None) -> None:
        self.notes.append((actor, action, outcome, target))

    async def audit_page(self, before: int | None, limit: int) -> Sequence[AuditEntry]:
        return [entry for entry in self.entries if before is None or entry.seq < before][:limit]


class FakeClientLimits:
    def allowance(self, client: str) -> Allowance:
        return Allowance(limit=100, remaining=len(client), reset_at=NOW, cost_limit=50_000)


class Ports:
    """Every fake, and the services made of them."""

    def __init__(self, world: Snapshot = WORLD) -> None:
        self.reader = FakeReader(world)
        self.feed = FakeFeed()
        self.refresher = FakeRefresher(self.reader)
        self.history = FakeHistory()
        self.endpoints = FakeEndpoints()
        self.own_lists = FakeOwnLists()
        self.audit = FakeAudit()
        self.services = Services(
            reader=self.reader,
            feed=self.feed,
            refresher=self.refresher,
            history=self.history,
            endpoints=self.endpoints,
            own_lists=self.own_lists,
            audit=self.audit,
            client_limits=FakeClientLimits(),
            clock=lambda: NOW,
            default_model=None,
            migrations=(),
        )

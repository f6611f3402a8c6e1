"""One provider under a coordinator: a scripted upstream, a still clock, a real store in a temporary file."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import MappingProxyType

from pydantic import SecretStr

from backends.retention import Retention
from backends.sqlite import SqliteStore, open_store
from catalogue.change import Change
from catalogue.guard import GuardLimits
from catalogue.health import Health
from catalogue.listing import Listing
from catalogue.provider import ProviderState, provider_state
from catalogue.snapshot import Snapshot, snapshot_of
from catalogue.vocabulary import HealthStatus
from polling.coordinator import Coordinator
from polling.deps import PollingDeps
from polling.feed import Feed
from polling.history import HealthRecorder
from polling.ledger import Current, Ledger
from polling.poller import Poller
from polling.progress import Progress
from polling.schedule import Timing
from providers._kit.registry import adapters
from tests.polling.still_clock import StillClock
from upstream.call_rate import Priority
from upstream.calls import CallPolicy
from upstream.errors import ServerStarved, Unreachable, UpstreamError
from upstream.http import Response
from upstream.lists import Call
from upstream.parsing import Parser
from upstream.upstream import Upstream

Answer = Response | UpstreamError | ServerStarved
GOOD_KEY = SecretStr("sk-good-key-0001")
DOWN = Unreachable("The connection to the provider failed.")
MANY = tuple(f"a/m{n}" for n in range(40))


def listed(*ids: str, prompt: str = "0.000001") -> Response:
    """A list of models in OpenRouter's shape."""
    rows = [{"id": i, "name": i, "pricing": {"prompt": prompt, "completion": prompt}} for i in ids]
    return answered(json.dumps({"data": rows}).encode())


def answered(body: bytes) -> Response:
    """An answer with this body."""
    return Response(status=200, body=body, headers=MappingProxyType({}), latency_ms=12.0)


@dataclass(frozen=True, slots=True)
class Asked:
    """One call that the upstream saw."""

    path: str
    keyed: bool
    priority: Priority


@dataclass
class ScriptedCalls:
    """Stands where `upstream.calls.Calls` stands: answers each path as the test says, and can hold a call in flight."""

    list_answer: Answer = field(default_factory=lambda: listed("a/one", "a/two"))
    keyed_list_answer: Answer | None = None
    check_answer: Answer = field(default_factory=lambda: answered(b"{}"))
    asked: list[Asked] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def at(self, policy: CallPolicy) -> Call:
        async def call(url: str, headers: Mapping[str, str]) -> Response:
            keyed = "Authorization" in headers
            is_list = "/models" in url
            self.asked.append(Asked("list" if is_list else "check", keyed, policy.priority))
            self.arrived.set()
            await self.gate.wait()
            unkeyed = self.list_answer
            answer = (self.keyed_list_answer or unkeyed if keyed else unkeyed) if is_list else self.check_answer
            if isinstance(answer, UpstreamError):
                policy.failing(answer)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    async def close(self) -> None:
        """Nothing waits here."""


@dataclass
class World:
    """Everything around the one provider."""

    clock: StillClock
    calls: ScriptedCalls
    store: SqliteStore
    current: Current
    ledger: Ledger
    feed: Feed
    progress: Progress
    recorder: HealthRecorder
    coordinator: Coordinator
    poller: Poller
    told: list[Change] = field(default_factory=list)

    @property
    def state(self) -> ProviderState:
        return self.snapshot.providers["openrouter"]

    @property
    def snapshot(self) -> Snapshot:
        return self.current.snapshot

    @property
    def health(self) -> Health:
        return self.state.health

    async def refresh(self) -> None:
        await self.coordinator.refresh(Priority.ADMIN)

    async def probe(self) -> None:
        await self.coordinator._probe()

    async def step(self) -> list[Asked]:
        """Let the coordinator do what is due, and tell what it asked."""
        self.calls.asked.clear()
        await self.coordinator._step()
        return list(self.calls.asked)

    async def when_due(self) -> list[Asked]:
        """The same when the time of the next check, as readers are told it, has just passed."""
        self.clock.advance(max(self.next_check, 0.0) + 0.001)
        return await self.step()

    @property
    def next_check(self) -> float:
        """Seconds until the provider is asked next, as readers are told."""
        assert self.health.next_check_at is not None
        return (self.health.next_check_at - self.clock.now()).total_seconds()


@asynccontextmanager
async def world(
    folder: Path,
    *,
    key: SecretStr | None = None,
    listing: Listing | None = None,
    guard: GuardLimits | None = None,
    poll: bool = True,
) -> AsyncIterator[World]:
    """A world that has not asked the provider anything yet."""
    clock, calls = StillClock(), ScriptedCalls()
    upstream = Upstream(
        id="openrouter",
        name="OpenRouter",
        adapter=adapters()["openrouter"],
        base_url="https://upstream.test/v1",
        key=key,
        poll=poll,
    )
    store = await open_store(folder / "catalogue.db", clock=clock.now, retention=Retention())
    timing = Timing()
    now = clock.now()
    state = provider_state(
        upstream.profile(timing.list_ttl),
        listing or Listing(provider_id=upstream.id),
        Health(provider_id=upstream.id),
        as_of=now if listing else None,
        confirmed=listing is not None and listing.is_reference,
        now=now,
    )
    await store.register([upstream.id], now, list_ttl=timing.list_ttl, opens="e" * 16)
    timeline = (await store.load()).timeline
    current = Current(snapshot_of([state], position=timeline.end(0), updated_at=None))
    ledger = Ledger(revisions=store, current=current, timeline=timeline, clock=clock)
    feed = Feed(log=store, reader=current, timeline=timeline, clock=clock)
    ledger.listen(feed.publish)
    deps = PollingDeps(
        ledger=ledger,
        reader=current,
        revisions=store,
        parser=Parser(),
        recorder=HealthRecorder(store=store),
        progress=Progress(),
        clock=clock,
        timing=timing,
        guard=guard or GuardLimits(),
        rng=Random(1),
    )
    coordinator = Coordinator(upstream=upstream, calls=calls, deps=deps)
    poller = Poller(coordinators={upstream.id: coordinator}, deps=deps, trim=store.trim)
    made = World(clock, calls, store, current, ledger, feed, deps.progress, deps.recorder, coordinator, poller)
    ledger.listen(lambda changes, _: made.told.extend(changes))
    try:
        yield made
    finally:
        await poller.stop()
        await store.close()


def healthy(one: World) -> bool:
    """Whether nothing at all is the matter."""
    health = one.health
    return health.status is HealthStatus.HEALTHY and health.error is None and health.quarantine is None

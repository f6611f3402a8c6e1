"""A running catalogue behind the schema: a real store, ledger and feed, moved by what the test says was observed."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from backends.retention import Retention
from backends.sqlite import SqliteStore, open_store
from catalogue.facts import ModelFacts
from catalogue.health import Problem
from catalogue.listing import merged
from catalogue.observation import Answered, CallFailed, ListTaken
from catalogue.scope import Scope
from catalogue.snapshot import Snapshot
from catalogue.vocabulary import ProviderErrorCode
from polling.restore import RestoredRun, restore
from providers._kit.registry import adapters
from resolvers.context import Context
from tests.polling.still_clock import StillClock
from tests.resolvers.asking import ask, schema
from tests.resolvers.fakes import Ports
from upstream.upstream import Upstream

LIST_TTL = timedelta(minutes=10)


def upstream(provider_id: str, **changed: Any) -> Upstream:
    """A provider under a name of its own, which has no packaged data."""
    return Upstream(
        id=provider_id,
        name=provider_id.title(),
        adapter=replace(adapters()["openrouter"], **changed),
        base_url="https://upstream.test/v1",
    )


@dataclass
class Running:
    """The catalogue, and what happens to it."""

    clock: StillClock
    store: SqliteStore
    run: RestoredRun
    ports: Ports = field(default_factory=Ports)

    def __post_init__(self) -> None:
        self.ports.services = replace(self.ports.services, reader=self.run.current, feed=self.run.feed)

    @property
    def snapshot(self) -> Snapshot:
        return self.run.current.snapshot

    async def lists(self, provider_id: str, models: Iterable[ModelFacts]) -> None:
        """The provider gives a list, a second after what happened last."""
        self.clock.advance(1)
        listing = merged(self.snapshot.providers[provider_id].listing, models, at=self.clock.now())
        await self.run.ledger.publish(provider_id, ListTaken(listing=listing, latency_ms=10.0))

    async def answers(self, provider_id: str) -> None:
        """A probe of the provider is answered."""
        await self.run.ledger.publish(provider_id, Answered(latency_ms=10.0))

    async def fails(self, provider_id: str) -> None:
        """A probe of the provider fails."""
        problem = Problem(code=ProviderErrorCode.TIMEOUT, message="No answer.", retryable=True, at=self.clock.now())
        await self.run.ledger.publish(provider_id, CallFailed(problem=problem))

    async def waits(self, by: timedelta) -> None:
        """Time passes, and statuses are evaluated."""
        self.clock.advance(by.total_seconds())
        await self.run.ledger.evaluate()

    def context(self) -> Context:
        return Context(Scope(), self.ports.services)

    async def ask(self, query: str) -> Any:
        return await ask(query, self.context())

    async def cursor(self) -> str:
        """The position of the catalogue now."""
        return str((await self.ask("{ catalogue { cursor } }"))["catalogue"]["cursor"])

    async def events(self, since: str, selection: str = "kind cursor") -> AsyncGenerator[Any, None]:
        """The changes after a cursor, as a subscriber receives them."""
        document = f'subscription {{ catalogueChanged(since: "{since}") {{ {selection} }} }}'
        answers = await schema().subscribe(document, context_value=self.context())
        async with aclosing(cast("Any", answers)) as stream:
            async for answer in stream:
                assert answer.errors is None, answer.errors
                yield answer.data["catalogueChanged"]

    async def told(self, since: str, selection: str = "kind cursor") -> list[Any]:
        """All changes from a cursor up to the present position."""
        end = await self.cursor()
        found: list[Any] = []
        async with aclosing(self.events(since, f"at: cursor {selection}")) as stream:
            while (found[-1]["at"] if found else since) != end:
                found.append(await anext(stream))
        return [{name: value for name, value in event.items() if name != "at"} for event in found]


@asynccontextmanager
async def running(
    folder: Path, *upstreams: Upstream, clock: StillClock | None = None, log_length: int = 100_000
) -> AsyncIterator[Running]:
    """Start over this folder, with provider alpha unless others are named."""
    clock = clock or StillClock()
    retention = Retention(log_length=log_length)
    store = await open_store(folder / "catalogue.db", clock=clock.now, retention=retention)
    try:
        run = await restore(store, upstreams or (upstream("alpha"),), list_ttl=LIST_TTL, clock=clock)
        yield Running(clock, store, run)
    finally:
        await store.close()

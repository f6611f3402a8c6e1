"""The small schema: models of one provider, fields that fail, wait or say what they were told, and events."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import cache

import strawberry

from catalogue.errors import UnknownProvider
from schema.policy import POLICY, Known, Policy, Reads

PATIENCE = 30.0
"""Seconds after which a test that waits for something has failed."""
SECRET = "sk-secret in /srv/catalogue"
PROVIDERS = {POLICY: Policy(Reads.REVISION, rows=Known.PROVIDERS)}
MODELS = {POLICY: Policy(Reads.REVISION, rows=Known.MODELS, slicing=("limit",), searches=Known.MODELS)}
NEWEST = {POLICY: Policy(Reads.STORE, rows=Known.MODELS, slicing=("first",), searches=Known.MODELS)}
PAGE = {
    POLICY: Policy(
        Reads.REVISION,
        rows=Known.MODELS,
        slicing=("first", "last"),
        sized_fields=("edges", "nodes"),
        searches=Known.MODELS,
    )
}
BY_ID = {POLICY: Policy(Reads.REVISION, rows=1_000, slicing=("ids",))}


@dataclass
class Source:
    """What fields and subscriptions look at, and what happened to them."""

    live: int = 0
    """Those who listen to the events."""
    pulled: int = 0
    counted: int = 0
    mutations: int = 0
    cancelled: int = 0
    size: int = 0
    """Bytes of padding in each event; with none, events come only when published."""
    started: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    _listeners: set[asyncio.Queue[int]] = field(default_factory=set)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def publish(self, number: int) -> None:
        for listener in self._listeners:
            listener.put_nowait(number)

    async def events(self) -> AsyncGenerator[str, None]:
        listener: asyncio.Queue[int] = asyncio.Queue()
        self._listeners.add(listener)
        await self._count(1)
        try:
            while True:
                yield "x" * self.size if self.size else str(await listener.get())
                self.pulled += 1
        finally:
            self._listeners.discard(listener)
            await asyncio.shield(self._count(-1))

    async def until_live(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(lambda: self.live == count)

    async def wait_for_release(self) -> None:
        self.started.set()
        try:
            await self.released.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    async def _count(self, step: int) -> None:
        async with self._changed:
            self.live += step
            self._changed.notify_all()


@dataclass
class Context:
    """What resolvers see of one request."""

    caller: str
    source: Source
    private: bool = False
    cost: int = 0


Info = strawberry.Info[Context, None]


@strawberry.type
class Price:
    input: float = 0.5
    output: float = 1.5


@strawberry.type
class Provider:
    id: strawberry.ID

    def numbered(self, limit: int | None = None) -> list["Model"]:
        return [model_numbered(number) for number in range(limit or 3)]

    models: list["Model"] = strawberry.field(resolver=numbered, metadata=MODELS)


@strawberry.type
class Model:
    id: strawberry.ID
    name: str
    context_max: int | None = None
    pricing: Price | None = None
    tiers: list[Price] = strawberry.field(default_factory=list)

    @strawberry.field
    def provider(self) -> Provider:
        return Provider(id=strawberry.ID("p"))

    @strawberry.field
    def replacement(self) -> "Model":
        return model_numbered(1)


def model_numbered(number: int) -> Model:
    return Model(id=strawberry.ID(f"p/{number}"), name=f"Model {number}", pricing=Price())


@strawberry.type
class Edge:
    node: Model
    cursor: str = ""


@strawberry.type
class ModelConnection:
    edges: list[Edge]
    nodes: list[Model]
    total_count: int = 3


def models_up_to(limit: int | None = None) -> list[Model]:
    return [model_numbered(number) for number in range(1_000 if limit is None else limit)]


def page_of_models(first: int | None = None, last: int | None = None) -> ModelConnection:
    rows = models_up_to(first or last or 3)
    return ModelConnection(edges=[Edge(node=row) for row in rows], nodes=rows)


def latest_changes(first: int = 100) -> list[Model]:
    return models_up_to(first)


def models_by_id(ids: list[strawberry.ID]) -> list[Model]:
    return models_up_to(len(ids))


def only_provider() -> list[Provider]:
    return [Provider(id=strawberry.ID("p"))]


@strawberry.type
class Query:
    models: list[Model] = strawberry.field(resolver=models_up_to, metadata=MODELS)
    models_connection: ModelConnection = strawberry.field(resolver=page_of_models, metadata=PAGE)
    changes: list[Model] = strawberry.field(resolver=latest_changes, metadata=NEWEST)
    resolve_models: list[Model] = strawberry.field(resolver=models_by_id, metadata=BY_ID)
    providers: list[Provider] = strawberry.field(resolver=only_provider, metadata=PROVIDERS)

    @strawberry.field
    def hello(self, name: str = "world") -> str:
        return f"hello {name}"

    @strawberry.field
    def model(self) -> Model:
        return model_numbered(0)

    @strawberry.field
    def boom(self) -> str | None:
        raise RuntimeError(SECRET)

    @strawberry.field
    def bang(self) -> str:
        raise RuntimeError(SECRET)

    @strawberry.field
    def ask(self, provider: str) -> str | None:
        raise UnknownProvider(provider, ["openrouter", "requesty"])

    @strawberry.field
    async def wait(self, info: Info) -> str:
        await info.context.source.wait_for_release()
        return "done"

    @strawberry.field
    def cost(self, info: Info) -> int:
        return info.context.cost

    @strawberry.field
    def own(self, info: Info) -> str:
        info.context.private = True
        return info.context.caller


@strawberry.type
class Mutation:
    @strawberry.mutation
    def publish(self, info: Info, number: int = 0) -> int:
        info.context.source.mutations += 1
        info.context.source.publish(number)
        return number


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, info: Info, target: int) -> AsyncGenerator[int, None]:
        for number in range(target):
            yield number
            info.context.source.counted += 1

    @strawberry.subscription
    async def events(self, info: Info) -> AsyncGenerator[str, None]:
        async with aclosing(info.context.source.events()) as events:
            async for event in events:
                yield event

    @strawberry.subscription
    async def fail(self) -> AsyncGenerator[int, None]:
        yield 1
        raise RuntimeError(SECRET)

    @strawberry.subscription
    async def refuse(self, provider: str) -> AsyncGenerator[int, None]:
        raise UnknownProvider(provider, ["openrouter"])
        yield 1


@cache
def small_schema() -> strawberry.Schema:
    return strawberry.Schema(Query, Mutation, Subscription)

"""A small catalogue behind the GraphQL front, with what the tests of HTTP, events and limits look at."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import strawberry
from starlette.requests import HTTPConnection

from catalogue.errors import UnknownProvider
from execution.answer import Answer
from execution.catalogue_size import CatalogueSize
from execution.executor import Executor
from execution.limits import DocumentLimits
from execution.persisted import PersistedDocuments
from execution.request import GraphQLRequest
from schema.policy import POLICY, Known, Policy, Reads
from server.http.graphql_http import GraphQLEndpoint

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
JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
EVENTS = "text/event-stream"


@dataclass
class Context:
    """What resolvers see of one request."""

    caller: str
    private: bool = False
    cost: int = 0


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


def all_models(limit: int | None = None) -> list[Model]:
    return [model_numbered(number) for number in range(1_000 if limit is None else limit)]


def page_of_models(first: int | None = None, last: int | None = None) -> ModelConnection:
    rows = all_models(first or last or 3)
    return ModelConnection(edges=[Edge(node=row) for row in rows], nodes=rows)


def latest_changes(first: int = 100) -> list[Model]:
    return all_models(first)


def only_provider() -> list[Provider]:
    return [Provider(id=strawberry.ID("p"))]


def models_by_id(ids: list[strawberry.ID]) -> list[Model]:
    return [model_numbered(number) for number, _ in enumerate(ids)]


@dataclass
class World:
    """One server in this process."""

    limits: DocumentLimits = field(default_factory=DocumentLimits)
    persisted: PersistedDocuments | None = None
    catalogue_size: int = 1_000
    refusal: Exception | None = None
    admitted: int = 0
    streaming: int = 0
    live: int = 0
    cancelled: int = 0
    mutations: int = 0
    reported: list[tuple[Exception, str]] = field(default_factory=list)
    started: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.executor: Executor[str] = Executor(
            schema_over(self),
            limits=self.limits,
            context=Context,
            catalogue_size=lambda: CatalogueSize(providers=20, models=self.catalogue_size, largest=self.catalogue_size),
            report=self._report,
            event_id=lambda event: f"c{event}",
            persisted=self.persisted,
        )
        self.app: GraphQLEndpoint[str] = GraphQLEndpoint(
            self.executor,
            scope_of=self._scope_of,
            report=self._report,
            admit=self._admit,
            admit_stream=self._admit_stream,
        )

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://catalogue.example")

    async def post(self, query: str | None, accept: str = GRAPHQL, **rest: object) -> httpx.Response:
        body = {"query": query, **rest} if query is not None else rest
        async with self.client() as client:
            return await client.post("/graphql", json=body, headers={"accept": accept})

    async def get(
        self, accept: str = GRAPHQL, headers: Mapping[str, str] | None = None, **given: str
    ) -> httpx.Response:
        async with self.client() as client:
            return await client.get("/graphql", params=given, headers={"accept": accept, **(headers or {})})

    async def run(self, query: str, variables: Mapping[str, object] | None = None) -> Any:
        """Run past HTTP: the decoded result."""
        prepared = self.executor.prepare(GraphQLRequest(query, variables))
        answer = prepared if isinstance(prepared, Answer) else await self.executor.execute(prepared, "caller")
        return orjson.loads(answer.body)

    def refusal_of(self, query: str, variables: Mapping[str, object] | None = None) -> Mapping[str, Any]:
        """The extensions of the one error with which a document is refused before it runs."""
        answer = self.executor.prepare(GraphQLRequest(query, variables))
        assert isinstance(answer, Answer), "the document was accepted"
        (error,) = orjson.loads(answer.body)["errors"]
        return {"message": error["message"], **error["extensions"]}

    def cost(self, query: str, variables: Mapping[str, object] | None = None) -> int:
        prepared = self.executor.prepare(GraphQLRequest(query, variables))
        return self.refusal_of(query, variables)["cost"] if isinstance(prepared, Answer) else prepared.cost

    async def wait_for_release(self) -> str:
        self.started.set()
        try:
            await self.released.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return "done"

    def mutate(self) -> int:
        self.mutations += 1
        return self.mutations

    async def listen(self) -> AsyncGenerator[int, None]:
        self.live += 1
        try:
            yield 0
            self.started.set()
            await self.released.wait()
            yield 1
        finally:
            self.live -= 1

    def _report(self, error: Exception, error_id: str) -> None:
        self.reported.append((error, error_id))

    def _scope_of(self, _: HTTPConnection) -> str:
        if self.refusal:
            raise self.refusal
        return "caller"

    @asynccontextmanager
    async def _admit_stream(self, _: str) -> AsyncIterator[None]:
        self.streaming += 1
        try:
            yield
        finally:
            self.streaming -= 1

    @asynccontextmanager
    async def _admit(self, _: str) -> AsyncIterator[None]:
        self.admitted += 1
        try:
            yield
        finally:
            self.admitted -= 1


def explode() -> str | None:
    raise RuntimeError("sk-secret in /srv/catalogue")


def insist() -> str:
    raise RuntimeError("sk-secret in /srv/catalogue")


def ask_provider(provider: str) -> str | None:
    raise UnknownProvider(provider, ["openrouter", "requesty"])


def told_cost(info: strawberry.Info[Context, None]) -> int:
    return info.context.cost


def own_answer(info: strawberry.Info[Context, None]) -> str:
    info.context.private = True
    return info.context.caller


async def count_up(target: int) -> AsyncGenerator[int, None]:
    for number in range(target):
        yield number


async def break_off() -> AsyncGenerator[int, None]:
    yield 1
    raise RuntimeError("sk-secret in /srv/catalogue")


async def refuse_provider(provider: str) -> AsyncGenerator[int, None]:
    raise UnknownProvider(provider, ["openrouter"])
    yield 1


def schema_over(world: World) -> strawberry.Schema:
    """Make the schema; three of its fields touch the world."""

    @strawberry.type
    class Query:
        models: list[Model] = strawberry.field(resolver=all_models, metadata=MODELS)
        models_connection: ModelConnection = strawberry.field(resolver=page_of_models, metadata=PAGE)
        changes: list[Model] = strawberry.field(resolver=latest_changes, metadata=NEWEST)
        resolve_models: list[Model] = strawberry.field(resolver=models_by_id, metadata=BY_ID)
        providers: list[Provider] = strawberry.field(resolver=only_provider, metadata=PROVIDERS)
        boom: str | None = strawberry.field(resolver=explode)
        bang: str = strawberry.field(resolver=insist)
        ask: str | None = strawberry.field(resolver=ask_provider)
        wait: str = strawberry.field(resolver=world.wait_for_release)
        cost: int = strawberry.field(resolver=told_cost)
        own: str = strawberry.field(resolver=own_answer)

        @strawberry.field
        def model(self) -> Model:
            return model_numbered(0)

    @strawberry.type
    class Mutation:
        publish: int = strawberry.field(resolver=world.mutate)

    @strawberry.type
    class Subscription:
        count: AsyncGenerator[int, None] = strawberry.subscription(resolver=count_up)
        events: AsyncGenerator[int, None] = strawberry.subscription(resolver=world.listen)
        fail: AsyncGenerator[int, None] = strawberry.subscription(resolver=break_off)
        refuse: AsyncGenerator[int, None] = strawberry.subscription(resolver=refuse_provider)

    return strawberry.Schema(Query, Mutation, Subscription)

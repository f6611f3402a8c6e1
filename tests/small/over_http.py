"""The small schema behind the endpoint of HTTP, and what the tests of requests and event streams look at."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
from starlette.requests import HTTPConnection

from execution.limits import DocumentLimits
from execution.persisted import PersistedDocuments
from server.http.graphql_http import GraphQLEndpoint
from tests.small.world import World

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
EVENTS = "text/event-stream"


class HttpWorld(World):
    """One endpoint in this process."""

    def __init__(
        self,
        *,
        limits: DocumentLimits | None = None,
        persisted: PersistedDocuments | None = None,
        refusal: Exception | None = None,
    ) -> None:
        super().__init__(limits=limits, persisted=persisted)
        self.refusal = refusal
        self.admitted = 0
        self.streaming = 0
        self.app: GraphQLEndpoint[str] = GraphQLEndpoint(
            self.executor,
            scope_of=self._scope_of,
            report=self.report,
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

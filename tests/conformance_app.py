"""A small schema mounted in the server's own HTTP, SSE and WebSocket stack, to ask it what the protocols demand.

Run with `python -m tests.conformance_app --port 8101`. Its fields are those that the conformance programs ask for when
they are told no others; `GET /stats` starts with the number of live event sources.
"""

import argparse
import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute

from execution.catalogue_size import CatalogueSize
from execution.executor import Executor
from execution.limits import DocumentLimits
from server.http.graphql_http import GraphQLEndpoint
from server.http.graphql_ws import websocket_endpoint
from server.http.origins import Origins
from server.http.socket_service import SocketLimits, SocketService
from server.wire.connection_limits import ConnectionLimits
from server.wire.uvicorn_protocol import uvicorn_options

logger = logging.getLogger("conformance")


class Events:
    """An endless source of numbered events, and how many listen to it."""

    def __init__(self) -> None:
        self.live = 0
        self._latest = 0
        self._published = asyncio.Condition()

    async def publish(self) -> int:
        """Make every listener emit one event."""
        async with self._published:
            self._latest += 1
            self._published.notify_all()
        return self._latest

    async def listen(self) -> AsyncGenerator[int, None]:
        """Emit the latest number at once, then each new one."""
        self.live += 1
        seen = -1
        try:
            while True:
                async with self._published:
                    while self._latest == seen:
                        await self._published.wait()
                seen = self._latest
                yield seen
        finally:
            self.live -= 1


@strawberry.type
class Model:
    """A row."""

    id: strawberry.ID


@strawberry.type
class Event:
    """One thing that happened."""

    seq: int


def schema_over(events: Events) -> strawberry.Schema:
    """Make the schema whose fields the conformance programs name by default."""

    def rows(limit: int) -> list[Model]:
        return [Model(id=strawberry.ID(str(number))) for number in range(limit)]

    def explode() -> str | None:
        raise RuntimeError("boom")

    async def publish_one() -> int:
        return await events.publish()

    async def count_up(target: int) -> AsyncGenerator[int, None]:
        for number in range(target):
            yield number

    async def listen() -> AsyncGenerator[Event, None]:
        source = events.listen()
        try:
            async for number in source:
                yield Event(seq=number)
        finally:
            await source.aclose()

    async def break_off() -> AsyncGenerator[int, None]:
        yield 1
        raise RuntimeError("boom")

    @strawberry.type
    class Query:
        models: list[Model] = strawberry.field(resolver=rows)
        boom: str | None = strawberry.field(resolver=explode)

    @strawberry.type
    class Mutation:
        publish: int = strawberry.field(resolver=publish_one)

    @strawberry.type
    class Subscription:
        count: AsyncGenerator[int, None] = strawberry.subscription(resolver=count_up)
        events: AsyncGenerator[Event, None] = strawberry.subscription(resolver=listen)
        fail: AsyncGenerator[int, None] = strawberry.subscription(resolver=break_off)

    return strawberry.Schema(Query, Mutation, Subscription)


def report(error: Exception, error_id: str) -> None:
    """Log an unexpected error under its id."""
    logger.warning("unexpected %s %s", type(error).__name__, error_id)


def event_id(event: object) -> str:
    """Name an event by its number."""
    return str(event.seq if isinstance(event, Event) else event)


def app_over(events: Events, *, init_seconds: float = 3.0) -> Starlette:
    """Mount the schema beside `/stats`."""
    executor: Executor[str] = Executor(
        schema_over(events),
        limits=DocumentLimits(),
        context=lambda scope: scope,
        catalogue_size=lambda: CatalogueSize(providers=3, models=1_000, largest=1_000),
        report=report,
        event_id=event_id,
    )

    def scope_of_socket(_: HTTPConnection, payload: Mapping[str, Any]) -> str:
        del payload
        return "anyone"

    async def stats(_: Request) -> PlainTextResponse:
        return PlainTextResponse(f"{events.live} live sources")

    sockets = SocketService(
        executor=executor,
        scope_of_socket=scope_of_socket,
        report=report,
        limits=SocketLimits(init_seconds=init_seconds),
    )
    routes: list[BaseRoute] = [
        Route("/graphql", GraphQLEndpoint(executor, scope_of=lambda _: "anyone", report=report)),
        WebSocketRoute("/graphql", websocket_endpoint(sockets, origins=Origins())),
        Route("/stats", stats),
    ]
    return Starlette(routes=routes)


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8101)
    port = parser.parse_args().port
    options = uvicorn_options(ConnectionLimits())
    uvicorn.run(app_over(Events()), host="127.0.0.1", port=port, log_level="warning", **options)


if __name__ == "__main__":
    main()

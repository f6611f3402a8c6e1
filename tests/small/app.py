"""The small schema in the server's own HTTP, SSE and WebSocket stack, to ask it what the protocols demand.

Run with `python -m tests.small.app --port 8101`. `GET /stats` starts with the number of live event sources.
"""

import argparse
import logging

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute

from server.http.graphql_http import GraphQLEndpoint
from server.http.origins import Origins
from server.http.socket_service import SocketLimits, SocketService
from server.http.ws_connection import websocket_endpoint
from server.wire.connection_limits import ConnectionLimits
from server.wire.uvicorn_options import uvicorn_options
from tests.small.world import World

logger = logging.getLogger("conformance")


def report(error: Exception, error_id: str) -> None:
    """Log an unexpected error under its id."""
    logger.warning("unexpected %s %s", type(error).__name__, error_id)


def conformance_app(*, init_seconds: float = 3.0) -> Starlette:
    """Mount the schema beside `/stats`."""
    world = World()

    async def stats(_: Request) -> PlainTextResponse:
        return PlainTextResponse(f"{world.source.live} live sources")

    sockets = SocketService(
        executor=world.executor,
        scope_of_socket=lambda _, __: "anyone",
        report=report,
        limits=SocketLimits(init_seconds=init_seconds),
    )
    routes: list[BaseRoute] = [
        Route("/graphql", GraphQLEndpoint(world.executor, scope_of=lambda _: "anyone", report=report)),
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
    uvicorn.run(conformance_app(), host="127.0.0.1", port=port, log_level="warning", **options)


if __name__ == "__main__":
    main()

"""The small schema on uvicorn over loopback, as it really runs, and what the tests of sockets look at."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.types import ASGIApp
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.typing import Origin, Subprotocol

from server.callers.refusals import Refusals
from server.http.origins import Origins
from server.http.socket_service import SocketLimits, SocketService
from server.http.ws_connection import websocket_endpoint
from server.wire.connection_limits import ConnectionLimits
from server.wire.uvicorn_options import uvicorn_options
from tests.small.schema import PATIENCE
from tests.small.world import World


class SocketWorld(World):
    """One running server."""

    server: uvicorn.Server

    def __init__(self) -> None:
        super().__init__()
        self.payloads: list[Mapping[str, Any]] = []
        self.refusal: Exception | None = None
        self.operation_refusal: Exception | None = None
        self.decides = asyncio.Event()
        self.decides.set()
        self.url = ""

    def service(self, limits: SocketLimits) -> SocketService[str]:
        return SocketService(
            executor=self.executor,
            scope_of_socket=self.scope_of_socket,
            report=self.report,
            limits=limits,
            admit=self.admit,
        )

    @asynccontextmanager
    async def admit(self, scope: str) -> AsyncIterator[None]:
        assert scope == "caller"
        await self.decides.wait()
        if self.operation_refusal:
            raise self.operation_refusal
        yield

    async def until_stuck(self) -> None:
        """Wait until a peer has left the server no room to write."""
        async with asyncio.timeout(PATIENCE):
            peers = self.server.server_state.connections
            while all(cast("Any", peer).writable.is_set() for peer in peers):  # noqa: ASYNC110 - uvicorn tells nobody
                await asyncio.sleep(0)

    def scope_of_socket(self, _connection: object, payload: Mapping[str, Any]) -> str:
        self.payloads.append(payload)
        if self.refusal:
            raise self.refusal
        return "caller"

    @asynccontextmanager
    async def socket(self, *, init: bool = True, origin: str | None = None) -> AsyncIterator["Socket"]:
        async with connect(
            self.url,
            subprotocols=[Subprotocol("graphql-transport-ws")],
            origin=Origin(origin) if origin else None,
            compression=None,
            close_timeout=0.5,
        ) as connection:
            socket = Socket(connection)
            if init:
                await socket.send({"type": "connection_init"})
                assert await socket.read() == {"type": "connection_ack"}
            yield socket


class Socket:
    """The client's end of one socket."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, message: object) -> None:
        await self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    def send_at_once(self, *messages: object) -> None:
        """Send messages in one packet."""
        frames = [Frame(Opcode.TEXT, json.dumps(message).encode()).serialize(mask=True) for message in messages]
        self.connection.transport.write(b"".join(frames))

    async def subscribe(self, operation_id: str, query: str, **payload: object) -> None:
        await self.send({"id": operation_id, "type": "subscribe", "payload": {"query": query, **payload}})

    async def read(self) -> Any:
        async with asyncio.timeout(PATIENCE):
            return json.loads(await self.connection.recv())

    async def read_all(self, operation_id: str) -> list[Any]:
        """Read to the end of one operation, others' messages aside."""
        messages: list[Any] = []
        while not messages or messages[-1]["type"] == "next":
            message = await self.read()
            if message["id"] == operation_id:
                messages.append(message)
        return messages

    async def close_code(self) -> int | None:
        async with asyncio.timeout(PATIENCE):
            try:
                while True:
                    await self.connection.recv()
            except ConnectionClosed:
                return self.connection.close_code


@asynccontextmanager
async def serving(
    app: ASGIApp, limits: ConnectionLimits | None = None, refusals: Refusals | None = None
) -> AsyncIterator[tuple[uvicorn.Server, int]]:
    """Run an application on an ephemeral port of 127.0.0.1, and at the end drop all that is still under way.

    uvicorn's own end waits a tenth of a second in any case; the tests of stopping call it themselves.
    """
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        lifespan="off",
        log_config=None,
        **uvicorn_options(limits or ConnectionLimits(), refusals),
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    try:
        yield server, server.servers[0].sockets[0].getsockname()[1]
    finally:
        for listening in server.servers:
            listening.close()
        for peer in list(server.server_state.connections):
            cast("Any", peer).transport.abort()
        under_way = list(server.server_state.tasks)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


@asynccontextmanager
async def world_of_sockets(
    socket_limits: SocketLimits | None = None,
    connection_limits: ConnectionLimits | None = None,
) -> AsyncIterator[SocketWorld]:
    world = SocketWorld()
    endpoint = websocket_endpoint(
        world.service(socket_limits or SocketLimits()),
        origins=Origins(frozenset({"https://friend.example"})),
    )
    routes: list[BaseRoute] = [WebSocketRoute("/graphql", endpoint)]
    async with serving(Starlette(routes=routes), connection_limits) as (world.server, port):
        world.url = f"ws://127.0.0.1:{port}/graphql"
        yield world

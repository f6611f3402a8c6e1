"""The WebSocket endpoint: checks a socket's origin and that it speaks graphql-transport-ws."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.responses import Response
from starlette.websockets import WebSocket

from server.http.origins import Origins
from server.http.socket_service import SocketService
from server.http.ws_connection import Connection

SUBPROTOCOL = "graphql-transport-ws"

S = TypeVar("S")


def websocket_endpoint(service: SocketService[S], *, origins: Origins) -> Callable[[WebSocket], Awaitable[None]]:
    """Make the endpoint of a `WebSocketRoute`.

    Pages of other origins than `origins` allow are refused with 403.
    """

    async def serve(websocket: WebSocket) -> None:
        if not origins.allow(websocket):
            await websocket.send_denial_response(Response(status_code=403))
        elif SUBPROTOCOL not in websocket.scope["subprotocols"]:
            await websocket.accept()
            await websocket.close(4406, "Subprotocol not acceptable")
        else:
            await websocket.accept(SUBPROTOCOL)
            await Connection(service, websocket).run()

    return serve

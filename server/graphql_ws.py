"""The WebSocket endpoint: who may open a socket, and that it speaks graphql-transport-ws."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.responses import Response
from starlette.websockets import WebSocket

from server.web_rules import origin_allowed
from server.ws_connection import Connection, SocketService

SUBPROTOCOL = "graphql-transport-ws"

S = TypeVar("S")


def websocket_endpoint(
    service: SocketService[S], *, allows_origin: Callable[[str], bool]
) -> Callable[[WebSocket], Awaitable[None]]:
    """Make the endpoint of a `WebSocketRoute`.

    `allows_origin` decides about pages of foreign origins, which are refused with 403 otherwise. Pages of this host may
    connect, and so may who sends no origin: every browser sends one.
    """

    async def serve(websocket: WebSocket) -> None:
        origin = websocket.headers.get("origin")
        if not (origin is None or origin_allowed(origin, websocket.headers.get("host"), ()) or allows_origin(origin)):
            await websocket.send_denial_response(Response(status_code=403))
        elif SUBPROTOCOL not in websocket.scope["subprotocols"]:
            await websocket.accept()
            await websocket.close(4406, "Subprotocol not acceptable")
        else:
            await websocket.accept(SUBPROTOCOL)
            await Connection(service, websocket).run()

    return serve

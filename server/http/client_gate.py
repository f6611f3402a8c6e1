"""The gate that every connection passes: it is counted against its client's rate, and answers say what is left.

A refusal is held back: whoever asks again as soon as it is refused would otherwise take the time of those who keep to
the limits.
"""

from collections.abc import Collection
from contextlib import AsyncExitStack

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalogue.errors import RateLimited
from server.callers.caller import CLIENT, Callers
from server.callers.client_limits import ClientLimits
from server.http.accept import acceptable_to
from server.http.error_responses import error_response
from server.http.graphql_http import turned_away
from server.redaction import carry_anew

GRAPHQL = "/graphql"
"""The path whose errors have GraphQL's shape."""
_TOO_MANY = 429
_CONNECTIONS = frozenset({"http", "websocket"})
_STARTS = frozenset({"http.response.start", "websocket.http.response.start"})


class ClientGate:
    """ASGI middleware around the whole application.

    Requests for the paths in `uncounted` pass, as often as somebody asks who watches the server's health.
    """

    def __init__(
        self, app: ASGIApp, *, callers: Callers, limits: ClientLimits, uncounted: Collection[str] = ()
    ) -> None:
        self._app = app
        self._callers = callers
        self._limits = limits
        self._uncounted = frozenset(uncounted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a connection on, or refuse it with 429 before anything else is looked at."""
        carry_anew()
        if scope["type"] not in _CONNECTIONS:
            await self._app(scope, receive, send)
            return
        send = self._with_headers(scope, send)
        async with AsyncExitStack() as place:
            try:
                await self._admit(scope, place)
            except RateLimited as error:
                await _refuse(scope, receive, send, error)
            else:
                await self._app(scope, receive, send)

    async def _admit(self, scope: Scope, place: AsyncExitStack) -> None:
        """Count a connection, and hold the place of a WebSocket."""
        connection = HTTPConnection(scope)
        is_socket = scope["type"] == "websocket"
        is_probe = not is_socket and scope["path"] in self._uncounted
        if is_probe and self._limits.allows_probe(self._callers.address_of(connection)):
            return
        client = self._callers.admit(connection)
        if is_socket:
            await place.enter_async_context(self._limits.connection(client))

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] in _STARTS and CLIENT in scope:
                if message["status"] == _TOO_MANY:
                    await self._limits.refusals.hold(scope[CLIENT])
                headers = MutableHeaders(scope=message)
                # A shared cache would tell others what is left to this client.
                if not headers.get("cache-control", "").startswith("public"):
                    for name, value in self._limits.headers(scope[CLIENT]):
                        headers[name] = value
            await send(message)

        return send_with_headers


async def _refuse(scope: Scope, receive: Receive, send: Send, error: RateLimited) -> None:
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1013, "reason": error.message})
    elif scope["path"] == GRAPHQL:
        await turned_away(acceptable_to(HTTPConnection(scope)), error)(scope, receive, send)
    else:
        await error_response(error)(scope, receive, send)

"""The gate of every connection: it identifies the caller, counts the request, and states the remaining rate.

Refusals are delayed. Clients that retry at once would otherwise take time from clients that stay within their limits.
"""

from collections.abc import Collection
from contextlib import AsyncExitStack

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalogue.errors import RateLimited
from server.callers.caller import Callers
from server.callers.client_limits import ClientLimits
from server.http.accept import acceptable_to
from server.http.error_responses import error_response
from server.http.graphql_http import turned_away
from server.redaction import begin_connection

GRAPHQL = "/graphql"
"""The path whose errors have GraphQL's shape."""
_TOO_MANY = 429
_CONNECTIONS = frozenset({"http", "websocket"})
_STARTS = frozenset({"http.response.start", "websocket.http.response.start"})


class ClientGate:
    """ASGI middleware around the whole application.

    Requests for the paths in `uncounted` pass uncounted, as often as a health monitor needs.
    """

    def __init__(
        self, app: ASGIApp, *, callers: Callers, limits: ClientLimits, uncounted: Collection[str] = ()
    ) -> None:
        self._app = app
        self._callers = callers
        self._limits = limits
        self._uncounted = frozenset(uncounted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Identify the caller, then pass its connection on, or refuse it with 429 before anything else is looked at."""
        begin_connection()
        if scope["type"] not in _CONNECTIONS:
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        caller = self._callers.caller_of(connection)
        if self._is_probe(scope) and self._limits.allows_probe(caller.address):
            await self._app(scope, receive, send)
            return
        send = self._with_headers(caller.client, send)
        async with AsyncExitStack() as place:
            try:
                self._callers.admit(caller)
                if scope["type"] == "websocket":
                    await place.enter_async_context(self._limits.connection(caller.client))
            except RateLimited as error:
                await _refuse(connection, receive, send, error)
            else:
                await self._app(scope, receive, send)

    def _is_probe(self, scope: Scope) -> bool:
        return scope["type"] == "http" and scope["path"] in self._uncounted

    def _with_headers(self, client: str, send: Send) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] in _STARTS:
                if message["status"] == _TOO_MANY:
                    await self._limits.refusals.hold(client)
                headers = MutableHeaders(scope=message)
                # A shared cache would show one client what another has left.
                if not headers.get("cache-control", "").startswith("public"):
                    for name, value in self._limits.headers(client):
                        headers[name] = value
            await send(message)

        return send_with_headers


async def _refuse(connection: HTTPConnection, receive: Receive, send: Send, error: RateLimited) -> None:
    scope = connection.scope
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1013, "reason": error.message})
    elif scope["path"] == GRAPHQL:
        await turned_away(acceptable_to(connection), error)(scope, receive, send)
    else:
        await error_response(error)(scope, receive, send)

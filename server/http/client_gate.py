"""The gate of every connection: identifies its caller, counts the request, and sets the headers that all answers have.

Refusals are delayed. Clients that retry at once would otherwise take time from clients that stay within their limits.
"""

from collections.abc import Collection
from contextlib import AsyncExitStack
from dataclasses import KW_ONLY, dataclass

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalogue.errors import RateLimited
from server.callers.caller import Callers
from server.callers.client_limits import ClientLimits
from server.http.accept import acceptable
from server.http.error_responses import error_response
from server.http.graphql_http import turned_away
from server.http.origins import Origins
from server.http.web_rules import answer_preflight, is_preflight, set_headers
from server.redaction import begin_connection

GRAPHQL = "/graphql"
"""The path whose errors have GraphQL's shape."""
_TOO_MANY = 429
_STARTS = frozenset({"http.response.start", "websocket.http.response.start"})


@dataclass(frozen=True, slots=True)
class ClientGate:
    """ASGI middleware around the whole application."""

    app: ASGIApp
    _: KW_ONLY
    callers: Callers
    limits: ClientLimits
    origins: Origins
    """Whose pages may read answers."""
    uncounted: Collection[str] = ()
    """Paths whose requests pass uncounted, as often as a health monitor needs."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Identify the caller, then pass its connection on, or refuse it with 429 before anything else is looked at."""
        begin_connection()
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        caller = self.callers.caller_of(connection)
        probes = scope["type"] == "http" and scope["path"] in self.uncounted
        counted = None if probes and self.limits.allows_probe(caller.address) else caller.client
        origin = connection.headers.get("origin")
        granted = origin if origin and self.origins.allow(connection) else None
        send = self._with_headers(counted, granted, send)
        async with AsyncExitStack() as place:
            try:
                if counted is not None:
                    self.callers.admit(caller)
                if scope["type"] == "websocket":
                    await place.enter_async_context(self.limits.connection(caller))
            except RateLimited as error:
                await _refuse(connection, receive, send, error)
                return
            if is_preflight(connection):
                await answer_preflight(send, granted)
            else:
                await self.app(scope, receive, send)

    def _with_headers(self, counted: str | None, granted: str | None, send: Send) -> Send:
        """Set headers on the answer, with the rate of the client that is counted; a refusal waits until it is due."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] in _STARTS:
                headers = MutableHeaders(scope=message)
                if counted is not None:
                    if message["status"] == _TOO_MANY:
                        await self.limits.refusals.hold(counted)
                    # A shared cache would show one client what another has left.
                    if not headers.get("cache-control", "").startswith("public"):
                        headers.update(self.limits.headers(counted))
                set_headers(headers, granted)
            await send(message)

        return send_with_headers


async def _refuse(connection: HTTPConnection, receive: Receive, send: Send, error: RateLimited) -> None:
    scope = connection.scope
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1013, "reason": error.message})
    elif scope["path"] == GRAPHQL:
        await turned_away(acceptable(",".join(connection.headers.getlist("accept"))), error)(scope, receive, send)
    else:
        await error_response(error)(scope, receive, send)

"""The gate that every connection passes: it is counted against its client's rate, and answers say what is left.

A refusal is held back for a moment: whoever asks again as soon as it is refused would otherwise take the time of those
who keep to the limits.
"""

import asyncio
from collections.abc import Collection
from contextlib import AsyncExitStack
from math import ceil

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalogue.errors import RateLimited
from server.caller import CLIENT, Callers
from server.client_limits import ClientLimits
from server.redaction import carry_anew

GRAPHQL = "/graphql"
"""The path whose errors have GraphQL's shape."""
REFUSAL_SECONDS = 0.25
_TOO_MANY = 429


class ClientGate:
    """ASGI middleware around the whole application; refusals are held back for `refusal` seconds.

    Requests for the paths in `uncounted` always pass.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        callers: Callers,
        limits: ClientLimits,
        uncounted: Collection[str] = (),
        refusal: float = REFUSAL_SECONDS,
    ) -> None:
        self._app = app
        self._callers = callers
        self._limits = limits
        self._uncounted = frozenset(uncounted)
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a connection on, or refuse it with 429 before anything else is looked at."""
        carry_anew()
        if scope["type"] == "http":
            await self._request(scope, receive, self._with_headers(scope, send))
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == _TOO_MANY:
                await asyncio.sleep(self._refusal)
            if message["type"] == "http.response.start" and CLIENT in scope:
                headers = MutableHeaders(scope=message)
                for name, value in self._limits.headers(scope[CLIENT]):
                    headers[name] = value
            await send(message)

        return send_with_headers

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["path"] not in self._uncounted:
                self._callers.admit(HTTPConnection(scope))
        except RateLimited as error:
            await _refusal(scope, error)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as place:
            try:
                client = self._callers.admit(HTTPConnection(scope))
                await place.enter_async_context(self._limits.connection(client))
            except RateLimited as error:
                await asyncio.sleep(self._refusal)
                await _refuse_socket(scope, receive, send, error)
            else:
                await self._app(scope, receive, send)


async def _refuse_socket(scope: Scope, receive: Receive, send: Send, error: RateLimited) -> None:
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1013, "reason": error.message})
        return
    await _refusal(scope, error)(scope, receive, send)


def _refusal(scope: Scope, error: RateLimited) -> JSONResponse:
    """The answer 429, of the shape that other errors have on this path."""
    graphql = {"errors": [{"message": error.message, "extensions": dict(error.extensions)}]}
    plain = {"error": {**error.extensions, "message": error.message}}
    headers = {"Retry-After": str(ceil(error.retry_after)), "Cache-Control": "no-store"}
    return JSONResponse(graphql if scope["path"] == GRAPHQL else plain, _TOO_MANY, headers)

"""The gate that every connection passes: WebSockets are counted per client, and answers say what is left.

A refusal is held back for a moment: whoever asks again as soon as it is refused would otherwise take the time of those
who keep to the limits.
"""

import asyncio
from contextlib import AsyncExitStack

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalogue.errors import RateLimited
from server.caller import CLIENT, Callers
from server.client_limits import ClientLimits
from server.redaction import carry_anew

REFUSAL_SECONDS = 0.25
_TOO_MANY = 429


class ClientGate:
    """ASGI middleware around the whole application; refusals are held back for `refusal` seconds."""

    def __init__(
        self, app: ASGIApp, *, callers: Callers, limits: ClientLimits, refusal: float = REFUSAL_SECONDS
    ) -> None:
        self._app = app
        self._callers = callers
        self._limits = limits
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a connection on, or refuse a WebSocket with 429 before it opens."""
        carry_anew()
        if scope["type"] == "http":
            await self._app(scope, receive, self._with_headers(scope, send))
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

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = self._callers.client_of(HTTPConnection(scope))
        async with AsyncExitStack() as place:
            try:
                await place.enter_async_context(self._limits.connection(client))
            except RateLimited as error:
                await asyncio.sleep(self._refusal)
                await _refuse(scope, receive, send, error)
            else:
                await self._app(scope, receive, send)


async def _refuse(scope: Scope, receive: Receive, send: Send, error: RateLimited) -> None:
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1013, "reason": error.message})
        return
    body = {"errors": [{"message": error.message, "extensions": dict(error.extensions)}]}
    response = JSONResponse(body, _TOO_MANY, {"Retry-After": "1"})
    await response(scope, receive, send)

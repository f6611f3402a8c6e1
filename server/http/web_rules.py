"""Browser rules: the pages that may read answers, and strict headers on each answer."""

from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.http.origins import Origins

STRICT = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""The headers of every answer."""
_METHODS = "GET, HEAD, POST, OPTIONS"
_REQUEST_HEADERS = (
    "Accept, Apollo-Require-Preflight, Apollographql-Client-Name, Apollographql-Client-Version, Authorization, "
    "Content-Type, If-None-Match, Last-Event-ID, X-Provider-Keys"
)
_RESPONSE_HEADERS = (
    "ETag, RateLimit, RateLimit-Limit, RateLimit-Policy, RateLimit-Remaining, RateLimit-Reset, Retry-After"
)
_PREFLIGHT_SECONDS = "600"


class WebRules:
    """ASGI middleware around the whole application: puts strict headers on every answer, and leave for its origin.

    An answer that sets one of these headers itself keeps it, such as a page with a Content-Security-Policy of its own.
    """

    def __init__(self, app: ASGIApp, *, origins: Origins) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a connection on."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        granted = _granted(HTTPConnection(scope), self._origins)

        async def send_by_the_rules(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                _rule(MutableHeaders(scope=message), granted)
            await send(message)

        await self._app(scope, receive, send_by_the_rules)


class Preflights:
    """ASGI middleware that answers preflights before the application; it stands within `WebRules`."""

    def __init__(self, app: ASGIApp, *, origins: Origins) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight, or pass a connection on."""
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            connection = HTTPConnection(scope)
            if "origin" in connection.headers and "access-control-request-method" in connection.headers:
                await _answer_preflight(send, _granted(connection, self._origins))
                return
        await self._app(scope, receive, send)


def _granted(connection: HTTPConnection, origins: Origins) -> str | None:
    """The value of Access-Control-Allow-Origin: the origin itself, or null if it is not allowed."""
    origin = connection.headers.get("origin")
    return origin if origin and origins.allow(connection) else None


async def _answer_preflight(send: Send, granted: str | None) -> None:
    leave = {
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Allow-Headers": _REQUEST_HEADERS,
        "Access-Control-Max-Age": _PREFLIGHT_SECONDS,
    }
    status = HTTPStatus.NO_CONTENT if granted else HTTPStatus.FORBIDDEN
    raw = [(name.lower().encode(), value.encode()) for name, value in leave.items()] if granted else []
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body"})


def _rule(headers: MutableHeaders, granted: str | None) -> None:
    for name, value in STRICT.items():
        headers.setdefault(name, value)
    headers.add_vary_header("Origin")
    if granted is not None:
        headers["Access-Control-Allow-Origin"] = granted
        headers["Access-Control-Expose-Headers"] = _RESPONSE_HEADERS
    del headers["server"]

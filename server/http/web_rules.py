"""The rules of browsers and shared caches: strict headers on each answer, preflights, and what may be kept."""

from http import HTTPStatus
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import Send

STRICT = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""The headers of every answer."""
PUBLIC: Final = "public, s-maxage=60, stale-while-revalidate=600"
"""An answer that is the same for everybody."""
PRIVATE: Final = "private, no-store"
"""An answer that only its caller may see."""
_RESPONSE_HEADERS = (
    "ETag, RateLimit, RateLimit-Limit, RateLimit-Policy, RateLimit-Remaining, RateLimit-Reset, Retry-After"
)
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers": (
        "Accept, Apollo-Require-Preflight, Apollographql-Client-Name, Apollographql-Client-Version, Authorization, "
        "Content-Type, If-None-Match, Last-Event-ID, X-Provider-Keys"
    ),
    "Access-Control-Max-Age": "600",
}


def set_headers(headers: MutableHeaders, granted: str | None) -> None:
    """Set the headers of an answer, which pages of the origin `granted` may read.

    An answer keeps a strict header of its own, such as a page's Content-Security-Policy.
    """
    for name, value in STRICT.items():
        headers.setdefault(name, value)
    headers.add_vary_header("Origin")
    if granted is not None:
        headers["Access-Control-Allow-Origin"] = granted
        headers["Access-Control-Expose-Headers"] = _RESPONSE_HEADERS
    del headers["server"]


def is_preflight(connection: HTTPConnection) -> bool:
    """Whether a browser asks if a page may send a request."""
    return (
        connection.scope.get("method") == "OPTIONS"
        and "origin" in connection.headers
        and "access-control-request-method" in connection.headers
    )


async def answer_preflight(send: Send, granted: str | None) -> None:
    """Answer a preflight of a page, whose origin may be `granted`."""
    status = HTTPStatus.NO_CONTENT if granted else HTTPStatus.FORBIDDEN
    raw = [(name.lower().encode(), value.encode()) for name, value in _PREFLIGHT.items()] if granted else []
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body"})


def holds(connection: HTTPConnection, tag: str) -> bool:
    """Whether a client holds the answer of this ETag.

    Compared weakly, as If-None-Match is (RFC 9110, section 13.1.2): a proxy that compresses weakens the tag.
    """
    header = connection.headers.get("if-none-match", "")
    return header.strip() == "*" or tag.removeprefix("W/") in header

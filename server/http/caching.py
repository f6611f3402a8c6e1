"""Cache headers for browsers and shared caches, and the check whether a client has an answer already."""

from typing import Final

from starlette.requests import HTTPConnection

PUBLIC: Final = "public, s-maxage=60, stale-while-revalidate=600"
"""An answer that is the same for everybody."""
PRIVATE: Final = "private, no-store"
"""An answer that only its caller may see."""


def holds(connection: HTTPConnection, tag: str) -> bool:
    """Whether a client holds the answer of this ETag.

    Compared weakly, as If-None-Match is (RFC 9110, section 13.1.2): a proxy that compresses weakens the tag.
    """
    header = connection.headers.get("if-none-match", "")
    return header.strip() == "*" or tag.removeprefix("W/") in header

"""What browsers and shared caches may do with an answer, and whether a client holds it already."""

from typing import Final

from starlette.requests import HTTPConnection

PUBLIC: Final = "public, s-maxage=60, stale-while-revalidate=600"
"""An answer that is the same for everybody."""
PRIVATE: Final = "private, no-store"
"""An answer with something of its caller alone."""


def holds(connection: HTTPConnection, tag: str) -> bool:
    """Whether a client holds the answer of this ETag.

    Compared weakly, as If-None-Match is (RFC 9110, section 13.1.2): a proxy that compresses weakens the tag.
    """
    header = connection.headers.get("if-none-match", "")
    return header.strip() == "*" or tag.removeprefix("W/") in header

"""Fetches a model list: all its pages from one origin, or the provider's answer that it has not changed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urljoin, urlsplit

from pydantic import SecretStr

from providers._kit.adapter import Adapter
from upstream.errors import Malformed
from upstream.http import MAX_BODY, Response
from upstream.parse import decode
from upstream.upstream import Upstream

Call = Callable[[str, Mapping[str, str]], Awaitable[Response]]
"""Sends a GET request for a URL with headers, with the provider's rate limit and retries."""

MAX_PAGES = 50
_LONGEST_VALIDATOR = 1_000
_TOO_LARGE = f"The pages of the list have more than {MAX_BODY:,} bytes in total."


@dataclass(frozen=True, slots=True, kw_only=True)
class ListVersion:
    """Identifies a list, so that the same one need not be sent or parsed again."""

    digest: bytes = b""
    """SHA-256 over the pages."""
    conditions: tuple[tuple[str, str], ...] = ()
    """Headers of a conditional request; empty if the list has several pages or the provider sent no validators."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedList:
    """A list as received."""

    bodies: tuple[bytes, ...]
    """One per page; empty if the list was not modified."""
    version: ListVersion
    latency_ms: float
    """Of the first page, to the end of its headers."""


async def fetch_list(
    upstream: Upstream, call: Call, *, key: SecretStr | None, known: ListVersion | None = None
) -> FetchedList:
    """Fetch every page of a provider's list; if it is not modified, its version is the known one.

    Raises UpstreamError; Malformed if the pages loop, lead to another origin, or are too many or too large.
    """
    headers = upstream.request_headers(key)
    first_url = url = upstream.list_url()
    conditions = known.conditions if known else ()
    page = first = await call(url, {**headers, **dict(conditions)})
    if first.status == 304:  # noqa: PLR2004  status codes are plainest as numbers
        if known is None or not conditions:
            raise Malformed("The provider answered 304 to an unconditional request.")
        return FetchedList(bodies=(), version=known, latency_ms=first.latency_ms)
    pages = {url: first.body}
    digest = sha256()
    while following := await asyncio.to_thread(_examine, upstream.adapter, page.body, url, digest.update):
        _admit(following, pages, first_url)
        url = following
        page = await call(url, headers)
        pages[url] = page.body
    if sum(map(len, pages.values())) > MAX_BODY:
        raise Malformed(_TOO_LARGE)
    version = ListVersion(digest=digest.digest(), conditions=_conditions(first) if len(pages) == 1 else ())
    return FetchedList(bodies=tuple(pages.values()), version=version, latency_ms=first.latency_ms)


def _examine(adapter: Adapter, body: bytes, url: str, add: Callable[[bytes], object]) -> str | None:
    """Add a page to the digest, and return the URL of the next one; null on the last page."""
    add(len(body).to_bytes(8))
    add(body)
    if adapter.next_page is None or (adapter.has_more is not None and not adapter.has_more.search(body)):
        return None
    decoded = decode(body)
    following = adapter.next_page(decoded, url) if isinstance(decoded, dict) else None
    try:
        return urljoin(url, following) if following else None
    except ValueError:
        raise Malformed("The URL of the list's next page is invalid.") from None


def _admit(url: str, pages: Mapping[str, bytes], first_url: str) -> None:
    if urlsplit(url)[:2] != urlsplit(first_url)[:2]:
        raise Malformed("The list's next page is at another origin, which is not followed.")
    if url in pages:
        raise Malformed("The list's pages form a loop.")
    if len(pages) >= MAX_PAGES:
        raise Malformed(f"The list has more than {MAX_PAGES} pages.")
    if sum(map(len, pages.values())) > MAX_BODY:
        raise Malformed(_TOO_LARGE)


def _conditions(answer: Response) -> tuple[tuple[str, str], ...]:
    """Validators that can be sent back: an invalid one would make every later call fail."""
    given = {
        "If-None-Match": answer.headers.get("etag", ""),
        "If-Modified-Since": answer.headers.get("last-modified", ""),
    }
    return tuple(
        (name, value)
        for name, value in given.items()
        if value and value.isascii() and value.isprintable() and len(value) <= _LONGEST_VALIDATOR
    )

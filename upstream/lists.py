"""Fetches a model list: all its pages from one origin, or the provider's answer that it has not changed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urljoin, urlsplit

from pydantic import SecretStr

from upstream.errors import Malformed
from upstream.http import MAX_BODY, Response
from upstream.parse import next_url
from upstream.upstream import Upstream

Call = Callable[[str, Mapping[str, str]], Awaitable[Response]]
"""Sends a GET request for a URL with headers, with the provider's rate limit and retries."""

MAX_PAGES = 50
_LONGEST_VALIDATOR = 1_000
_TOO_LARGE = f"The pages of the list have more than {MAX_BODY:,} bytes in total."


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """Validators of a response, for a conditional request."""

    etag: str | None = None
    last_modified: str | None = None

    def headers(self) -> Mapping[str, str]:
        """The headers of a conditional request."""
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in headers.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedList:
    """A list as received."""

    bodies: tuple[bytes, ...]
    """One per page; empty if the list was not modified."""
    validators: Validators | None
    """For the next request; null if the list has several pages or the provider sent none."""
    not_modified: bool = False
    digest: bytes = b""
    """SHA-256 over the bodies; empty if the list was not modified."""
    latency_ms: float
    """Of the first page, to the end of its headers."""


async def fetch_list(
    upstream: Upstream,
    call: Call,
    *,
    key: SecretStr | None,
    validators: Validators | None = None,
) -> FetchedList:
    """Fetch every page of a provider's list.

    Raises UpstreamError; Malformed if the pages loop, lead to another origin, or are too many or too large.
    """
    headers = upstream.request_headers(key)
    conditions = validators.headers() if validators else {}
    url = upstream.list_url()
    first = await call(url, {**headers, **conditions})
    if first.status == 304:  # noqa: PLR2004  status codes are plainest as numbers
        return _unmodified(first, validators, asked=bool(conditions))
    bodies = [first.body]
    seen = {url}
    following = await _next(upstream, first.body, url)
    while following is not None:
        _admit(following, seen, bodies, upstream.list_url())
        seen.add(following)
        page = await call(following, headers)
        bodies.append(page.body)
        following = await _next(upstream, page.body, following)
    if sum(map(len, bodies)) > MAX_BODY:
        raise Malformed(_TOO_LARGE)
    return FetchedList(
        bodies=tuple(bodies),
        validators=_validators(first) if len(bodies) == 1 else None,
        digest=await asyncio.to_thread(_digest, bodies),
        latency_ms=first.latency_ms,
    )


async def _next(upstream: Upstream, body: bytes, url: str) -> str | None:
    if upstream.adapter.next_page is None:
        return None
    following = await asyncio.to_thread(next_url, upstream.adapter.id, body, url)
    try:
        return urljoin(url, following) if following else None
    except ValueError:
        raise Malformed("The URL of the list's next page is invalid.") from None


def _admit(url: str, seen: set[str], bodies: list[bytes], list_url: str) -> None:
    if _place(url) != _place(list_url):
        raise Malformed("The list's next page is at another origin, which is not followed.")
    if url in seen:
        raise Malformed("The list's pages form a loop.")
    if len(seen) >= MAX_PAGES:
        raise Malformed(f"The list has more than {MAX_PAGES} pages.")
    if sum(map(len, bodies)) > MAX_BODY:
        raise Malformed(_TOO_LARGE)


def _place(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _unmodified(answer: Response, validators: Validators | None, *, asked: bool) -> FetchedList:
    if not asked:
        raise Malformed("The provider answered 304 to an unconditional request.")
    return FetchedList(bodies=(), validators=validators, not_modified=True, latency_ms=answer.latency_ms)


def _validators(answer: Response) -> Validators | None:
    given = Validators(etag=_sendable(answer, "etag"), last_modified=_sendable(answer, "last-modified"))
    return given if given.headers() else None


def _sendable(answer: Response, name: str) -> str | None:
    """A header's value if it can be sent back: an invalid one would make every later call fail."""
    value = answer.headers.get(name, "")
    return value if value.isascii() and value.isprintable() and len(value) <= _LONGEST_VALIDATOR else None


def _digest(bodies: list[bytes]) -> bytes:
    digest = sha256()
    for body in bodies:
        digest.update(len(body).to_bytes(8))
        digest.update(body)
    return digest.digest()

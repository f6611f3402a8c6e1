"""Reading a whole model list: all its pages, each at most once, from one place, or the word that nothing changed."""

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
"""One GET of a URL with headers, behind the provider's rate limit and retries."""

MAX_PAGES = 50
_LONGEST_VALIDATOR = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What a provider gave to ask whether its list changed."""

    etag: str | None = None
    last_modified: str | None = None

    def headers(self) -> Mapping[str, str]:
        """The conditions of a request."""
        said = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in said.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedList:
    """A list as received."""

    bodies: tuple[bytes, ...]
    """One per page; none when it was not modified."""
    validators: Validators | None
    """For the next time; null where the list has several pages or the provider gave none."""
    not_modified: bool = False
    digest: bytes = b""
    """SHA-256 over the bodies; empty when it was not modified."""
    latency_ms: float
    """Of the first page, to the end of its headers."""


async def fetch_list(
    upstream: Upstream,
    call: Call,
    *,
    key: SecretStr | None,
    validators: Validators | None = None,
) -> FetchedList:
    """Read every page of a provider's list, with a key or without.

    Raises UpstreamError; Malformed for pages that loop, lead elsewhere, or are too many or too large together.
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
        raise Malformed(f"The pages of the list are larger than {MAX_BODY:,} bytes together.")
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
        raise Malformed("The list's next page is at an address that is none.") from None


def _admit(url: str, seen: set[str], bodies: list[bytes], list_url: str) -> None:
    if _place(url) != _place(list_url):
        raise Malformed("The list's next page is at another place, which is not followed.")
    if url in seen:
        raise Malformed("The list's pages lead in a circle.")
    if len(seen) >= MAX_PAGES:
        raise Malformed(f"The list has more than {MAX_PAGES} pages.")
    if sum(map(len, bodies)) > MAX_BODY:
        raise Malformed(f"The pages of the list are larger than {MAX_BODY:,} bytes together.")


def _place(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _unmodified(answer: Response, validators: Validators | None, *, asked: bool) -> FetchedList:
    if not asked:
        raise Malformed("The provider answered that its list is unchanged without having been asked.")
    return FetchedList(bodies=(), validators=validators, not_modified=True, latency_ms=answer.latency_ms)


def _validators(answer: Response) -> Validators | None:
    given = Validators(etag=_sendable(answer, "etag"), last_modified=_sendable(answer, "last-modified"))
    return given if given.headers() else None


def _sendable(answer: Response, name: str) -> str | None:
    """A header's value as it may be sent back; one that may not would end every later call here."""
    value = answer.headers.get(name, "")
    return value if value.isascii() and value.isprintable() and len(value) <= _LONGEST_VALIDATOR else None


def _digest(bodies: list[bytes]) -> bytes:
    digest = sha256()
    for body in bodies:
        digest.update(len(body).to_bytes(8))
        digest.update(body)
    return digest.digest()

"""One GET to a provider: bounded in time and size, no redirect to another place, every failure typed."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from errno import EMFILE, ENFILE, ENOBUFS, ENOMEM, errorcode
from importlib.metadata import version
from socket import socket

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.http_exceptions import ContentEncodingError
from yarl import URL

from upstream.echo import redact, secret_forms
from upstream.errors import (
    Malformed,
    Rejected,
    ServerStarved,
    Throttled,
    TimedOut,
    Unauthorized,
    Unreachable,
    UpstreamError,
)
from upstream.retry_after import retry_after

MAX_BODY = 20_000_000
"""Bytes of a body after decompression; the largest list known has 3 MB."""
_MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK = 65_536
_BIG = 100_000
"""Bytes from which on a body is searched for secrets beside the event loop."""
_UNSENDABLE = "The request to the provider cannot be sent: its URL or a header is not valid."
_STARVED = frozenset({EMFILE, ENFILE, ENOBUFS, ENOMEM})
_MEANINGS: tuple[tuple[type[Exception], type[UpstreamError], str], ...] = (
    (aiohttp.ClientPayloadError, Unreachable, "The provider's answer broke off."),
    (aiohttp.ServerDisconnectedError, Unreachable, "The provider closed the connection without an answer."),
    (aiohttp.ClientSSLError, Unreachable, "No secure connection to the provider could be made."),
    (aiohttp.ClientConnectorDNSError, Unreachable, "The provider's host name could not be resolved."),
    (aiohttp.ClientConnectorError, Unreachable, "No connection to the provider could be made."),
    (aiohttp.ClientResponseError, Malformed, "The provider's answer is no valid HTTP."),
    (aiohttp.NonHttpUrlClientError, Rejected, _UNSENDABLE),
    (ValueError, Rejected, _UNSENDABLE),
)
"""What aiohttp's errors mean, the first match; an aiohttp.InvalidURL is a ValueError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer with a status of 2xx, or 304."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    """By name in lower case."""
    latency_ms: float
    """From sending to the end of the headers."""


def session(*, resolver: AbstractResolver | None = None) -> aiohttp.ClientSession:
    """A client session for all providers; to be made once, inside the event loop, and closed by the caller.

    No cookies and no proxies from the environment; aiohttp inflates a body piece by piece, so that a small one that
    unpacks to gigabytes is met by the size cap of `get` instead of filling the memory. One GET is one call: aiohttp
    does not send it again, unseen by the pace, where a connection closes without an answer.
    """
    made = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=64, limit_per_host=8, resolver=resolver),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"model-catalogue/{version('model-catalogue')}", "Accept": "application/json"},
        timeout=aiohttp.ClientTimeout(total=None),
        trust_env=False,
    )
    made._retry_connection = False  # noqa: SLF001  aiohttp has no public name for it; its own test client sets the same
    return made


async def get(
    session: aiohttp.ClientSession,
    url: str,
    *,
    headers: Mapping[str, str],
    max_bytes: int = MAX_BODY,
    enough: int | None = None,
    timeout: float,  # noqa: ASYNC109  the total time of one try is a setting of each provider
    progress: Callable[[int], None] | None = None,
    before_redirect: Callable[[], Awaitable[None]] | None = None,
) -> Response:
    """Try one GET and give its whole answer; `progress` hears how many bytes have come.

    `before_redirect` is waited for before each further request, which is a call to the provider like the first.
    Where `enough` is given, no more is read than it takes to have so many bytes, and the rest is hung up on.

    Raises UpstreamError, or ServerStarved where the call could not be made at all; never anything of aiohttp's.
    """
    try:
        async with asyncio.timeout(timeout):
            return await _follow(
                session,
                URL(url),
                headers,
                max_bytes=max_bytes,
                enough=enough,
                progress=progress,
                before_redirect=before_redirect,
            )
    except TimeoutError:
        raise TimedOut(f"The provider did not answer in full within {timeout:g} s.") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise _translated(error) from None


async def _follow(
    session: aiohttp.ClientSession,
    url: URL,
    headers: Mapping[str, str],
    *,
    max_bytes: int,
    enough: int | None,
    progress: Callable[[int], None] | None,
    before_redirect: Callable[[], Awaitable[None]] | None,
) -> Response:
    secrets = secret_forms(headers)
    for _ in range(_MAX_REDIRECTS + 1):
        started = time.perf_counter()
        async with session.get(url, headers=headers, allow_redirects=False) as answer:
            latency_ms = (time.perf_counter() - started) * 1000
            if answer.status in _REDIRECTS:
                url = _redirected(url, answer.headers.get("Location", ""))
                if before_redirect is not None:
                    await before_redirect()
                continue
            _raise_for_status(answer)
            body = await _redacted(await _read(answer, max_bytes, enough, progress), secrets)
            lowered = {name.lower(): _shown(value, secrets) for name, value in answer.headers.items()}
            return Response(status=answer.status, body=body, headers=lowered, latency_ms=latency_ms)
    raise Rejected(f"The provider redirected more than {_MAX_REDIRECTS} times.")


async def _redacted(body: bytes, secrets: tuple[bytes, ...]) -> bytes:
    return redact(body, secrets) if len(body) < _BIG else await asyncio.to_thread(redact, body, secrets)


def _shown(value: str, secrets: tuple[bytes, ...]) -> str:
    return redact(value.encode("utf-8", "surrogateescape"), secrets).decode("utf-8", "surrogateescape")


def _redirected(url: URL, location: str) -> URL:
    target = url.join(URL(location))
    upgraded = target.scheme == "https" and url.scheme == "http" and url.is_default_port() and target.is_default_port()
    if not location or target.host != url.host or (target.origin() != url.origin() and not upgraded):
        raise Rejected("The provider redirected to another place, which is not followed.")
    return target


def _raise_for_status(answer: aiohttp.ClientResponse) -> None:
    status = answer.status
    said = f"The provider answered with status {status}."
    if 200 <= status < 300 or status == 304:  # noqa: PLR2004  status codes are plainest as numbers
        return
    if status in {401, 403}:
        raise Unauthorized(f"The provider refused the key or its absence (status {status}).")
    if status == 429:  # noqa: PLR2004  the same
        raise Throttled("The provider allows no more calls for now (status 429).", retry_after=_wait(answer))
    if status == 408:  # noqa: PLR2004  the same
        raise TimedOut(said, retry_after=_wait(answer))
    if status >= 500:  # noqa: PLR2004  the same
        raise Unreachable(said, retry_after=_wait(answer))
    raise Rejected(said)


def _wait(answer: aiohttp.ClientResponse) -> float | None:
    return retry_after(answer.headers, now=time.time())


async def _read(
    answer: aiohttp.ClientResponse, max_bytes: int, enough: int | None, progress: Callable[[int], None] | None
) -> bytes:
    # In pieces: one big buffer would teach the allocator to keep as much for good once it is freed.
    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in answer.content.iter_chunked(_CHUNK if enough is None else min(enough, _CHUNK)):
            pieces.append(piece)
            size += len(piece)
            if size > max_bytes:
                raise Malformed(f"The provider's answer is larger than {max_bytes:,} bytes.")
            if progress is not None:
                progress(size)
            if enough is not None and size >= enough:
                answer.close()
                break
            await asyncio.sleep(0)  # what has come already, or unpacks to more, comes without a wait
        return b"".join(pieces)
    finally:
        pieces.clear()  # an error on its way out holds on to them


def _translated(error: Exception) -> UpstreamError | ServerStarved:
    # A resolver that gets no socket does not say why it failed.
    cause = _socket_error() if isinstance(error, aiohttp.ClientConnectorDNSError) else error
    if isinstance(cause, OSError) and cause.errno in _STARVED:
        return ServerStarved(f"The server has no resources left for a call: {errorcode[cause.errno]}.")
    if isinstance(error.__cause__, ContentEncodingError):
        return Malformed("The provider's answer is packed in a way that cannot be unpacked.")
    for kind, meaning, message in _MEANINGS:
        if isinstance(error, kind):
            return meaning(message)
    return Unreachable("The connection to the provider was lost.")


def _socket_error() -> OSError | None:
    try:
        socket().close()
    except OSError as error:
        return error
    return None

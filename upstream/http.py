"""GET requests to providers: bounded in time and size, without redirects to other origins, with typed errors."""

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

from upstream.echo import redact, redacted_headers, secret_forms
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
"""Bytes of a decompressed body; the largest known list has 3 MB."""
_MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK = 65_536
_BIG = 100_000
"""Bytes from which a body is searched for secrets in a thread."""
_UNSENDABLE = "The request to the provider cannot be sent: its URL or a header is invalid."
_STARVED = frozenset({EMFILE, ENFILE, ENOBUFS, ENOMEM})
_MEANINGS: tuple[tuple[type[Exception], type[UpstreamError], str], ...] = (
    (aiohttp.ClientPayloadError, Unreachable, "The provider's response is incomplete."),
    (aiohttp.ServerDisconnectedError, Unreachable, "The provider closed the connection without a response."),
    (aiohttp.ClientSSLError, Unreachable, "The TLS connection to the provider failed."),
    (aiohttp.ClientConnectorDNSError, Unreachable, "The provider's host name could not be resolved."),
    (aiohttp.ClientConnectorError, Unreachable, "The connection to the provider failed."),
    (aiohttp.ClientResponseError, Malformed, "The provider's response is not valid HTTP."),
    (aiohttp.NonHttpUrlClientError, Rejected, _UNSENDABLE),
    (ValueError, Rejected, _UNSENDABLE),
)
"""Our error for each of aiohttp's; the first match counts. aiohttp.InvalidURL is a ValueError."""


async def _go_on() -> None:
    """Follow a redirect without waiting."""


def _ignore(_: int) -> None:
    """Report no progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLimits:
    """How long one try may take, how much of its response is read, and who follows it."""

    timeout: float
    """Seconds."""
    max_bytes: int = MAX_BODY
    enough: int | None = None
    """Reading stops after about this many bytes; null reads all."""
    received: Callable[[int], None] = _ignore
    """Called with the number of bytes received so far."""
    before_redirect: Callable[[], Awaitable[object]] = _go_on
    """Awaited before each redirected request, which counts as a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response with a 2xx status or 304."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    """Names are in lower case."""
    latency_ms: float
    """From sending the request to the end of the response headers."""


def session(*, resolver: AbstractResolver | None = None) -> aiohttp.ClientSession:
    """Create the client session for all providers, inside the event loop; the caller closes it.

    It has no cookies and reads no proxies from the environment. aiohttp decompresses a body piece by piece, so the size
    limit of `get` stops a decompression bomb. aiohttp's own retry is off, since the rate limit would not see it.
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


async def get(session: aiohttp.ClientSession, url: str, headers: Mapping[str, str], limits: ReadLimits) -> Response:
    """Send one GET request and read the response, without the secrets of its headers.

    Raises UpstreamError if the call failed, ServerStarved if the server had no resources for it.
    """
    secrets = secret_forms(headers)
    try:
        async with asyncio.timeout(limits.timeout):
            target = URL(url)
            for _ in range(_MAX_REDIRECTS + 1):
                started = time.perf_counter()
                async with session.get(target, headers=headers, allow_redirects=False) as answer:
                    latency_ms = (time.perf_counter() - started) * 1000
                    if answer.status in _REDIRECTS:
                        target = _redirected(target, answer.headers.get("Location", ""))
                        await limits.before_redirect()
                        continue
                    _raise_for_status(answer)
                    body = await _read(answer, limits)
                    body = (
                        await asyncio.to_thread(redact, body, secrets) if len(body) >= _BIG else redact(body, secrets)
                    )
                    shown = redacted_headers(answer.headers, secrets)
                    return Response(status=answer.status, body=body, headers=shown, latency_ms=latency_ms)
            raise Rejected(f"The provider redirected more than {_MAX_REDIRECTS} times.")
    except TimeoutError:
        raise TimedOut(f"The provider did not send a complete response within {limits.timeout:g} s.") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise _translated(error) from None


def _redirected(url: URL, location: str) -> URL:
    target = url.join(URL(location))
    upgraded = target.scheme == "https" and url.scheme == "http" and url.is_default_port() and target.is_default_port()
    if not location or target.host != url.host or (target.origin() != url.origin() and not upgraded):
        raise Rejected("The provider redirected to another origin, which is not followed.")
    return target


def _raise_for_status(answer: aiohttp.ClientResponse) -> None:
    status = answer.status
    if 200 <= status < 300 or status == 304:  # noqa: PLR2004  status codes are plainest as numbers
        return
    message, wait = f"The provider answered with status {status}.", retry_after(answer.headers, now=time.time())
    match status:
        case 401 | 403:
            raise Unauthorized(f"The provider rejected the key, or requires one (status {status}).")
        case 429:
            raise Throttled("The provider's rate limit is reached (status 429).", retry_after=wait)
        case 408:
            raise TimedOut(message, retry_after=wait)
        case _ if status >= 500:  # noqa: PLR2004  the same
            raise Unreachable(message, retry_after=wait)
    raise Rejected(message)


async def _read(answer: aiohttp.ClientResponse, limits: ReadLimits) -> bytes:
    # In pieces: the allocator would keep the memory of one big buffer after it is freed.
    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in answer.content.iter_chunked(min(limits.enough or _CHUNK, _CHUNK)):
            pieces.append(piece)
            size += len(piece)
            if size > limits.max_bytes:
                raise Malformed(f"The provider's response is larger than {limits.max_bytes:,} bytes.")
            limits.received(size)
            if limits.enough is not None and size >= limits.enough:
                answer.close()
                break
            await asyncio.sleep(0)  # data that is already buffered arrives without a wait
        return b"".join(pieces)
    finally:
        pieces.clear()  # a raised error's traceback would keep them alive


def _translated(error: Exception) -> UpstreamError | ServerStarved:
    cause: Exception = error
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        try:  # the error of a resolver that cannot open a socket does not show it
            socket().close()
        except OSError as starved:
            cause = starved
    if isinstance(cause, OSError) and cause.errno in _STARVED:
        return ServerStarved(f"The server has no resources left for a call: {errorcode[cause.errno]}.")
    if isinstance(error.__cause__, ContentEncodingError):
        return Malformed("The provider's response cannot be decompressed.")
    for kind, meaning, message in _MEANINGS:
        if isinstance(error, kind):
            return meaning(message)
    return Unreachable("The connection to the provider failed.")

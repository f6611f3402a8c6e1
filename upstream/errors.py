"""Errors of calls to providers. Every message is safe to show to anyone.

UpstreamError
├── Unreachable    no connection, a reset, a 5xx or an incomplete response: retry later
├── TimedOut       no complete response in time: retry later
├── Unauthorized   401 or 403: the key is missing, wrong or not allowed
├── Throttled      429: wait as long as the provider asks
├── Rejected       any other error status, or a redirect that is not followed: retrying does not help
└── Malformed      the response is not a model list: keep the last good one
"""

from typing import ClassVar

from catalogue.vocabulary import ProviderErrorCode


class UpstreamError(Exception):
    """A call to a provider failed; `message` holds no response body, no key and no query string."""

    code: ClassVar[ProviderErrorCode]
    retryable: ClassVar[bool] = False
    """Whether the same call may succeed within seconds."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after
        """Seconds that the provider asked to wait, if it did."""


class Unreachable(UpstreamError):
    """No connection, a reset, a 5xx or an incomplete response."""

    code = ProviderErrorCode.UNREACHABLE
    retryable = True


class TimedOut(UpstreamError):
    """No complete response in time."""

    code = ProviderErrorCode.TIMEOUT
    retryable = True


class Unauthorized(UpstreamError):
    """The key is missing, wrong or not allowed (401, 403)."""

    code = ProviderErrorCode.UNAUTHORIZED


class Throttled(UpstreamError):
    """Too many calls (429)."""

    code = ProviderErrorCode.RATE_LIMITED
    retryable = True


class Rejected(UpstreamError):
    """An error that retrying does not change."""

    code = ProviderErrorCode.REJECTED


class Malformed(UpstreamError):
    """The response is not a model list."""

    code = ProviderErrorCode.MALFORMED


class ServerStarved(Exception):
    """This server has no file descriptors or memory left for a call; the provider is not at fault."""

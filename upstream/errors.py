"""What can go wrong with a provider, drawn as a tree; every message is safe to show to anyone.

UpstreamError
├── Unreachable    no connection, a reset, a 5xx, an answer that broke off: try again later
├── TimedOut       no whole answer in time: try again later
├── Unauthorized   401 or 403: the key is wrong or may not do this
├── Throttled      429: wait as told
├── Rejected       any other refusal, or a redirect that is not followed: trying again changes nothing
└── Malformed      an answer that is no model list: keep the last good one
"""

from typing import ClassVar

from catalogue.vocabulary import ProviderErrorCode


class UpstreamError(Exception):
    """A provider failed; `message` holds no upstream body, no key and no query string."""

    code: ClassVar[ProviderErrorCode]
    retryable: ClassVar[bool] = False
    """Whether the same call may succeed within seconds."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after
        """Seconds that the provider asked to wait, where it did."""


class Unreachable(UpstreamError):
    """No connection, a reset, a 5xx, or an answer that broke off."""

    code = ProviderErrorCode.UNREACHABLE
    retryable = True


class TimedOut(UpstreamError):
    """No whole answer in time."""

    code = ProviderErrorCode.TIMEOUT
    retryable = True


class Unauthorized(UpstreamError):
    """The key is missing, wrong, or may not do this (401, 403)."""

    code = ProviderErrorCode.UNAUTHORIZED


class Throttled(UpstreamError):
    """Too many calls (429)."""

    code = ProviderErrorCode.RATE_LIMITED
    retryable = True


class Rejected(UpstreamError):
    """A refusal that trying again does not change."""

    code = ProviderErrorCode.REJECTED


class Malformed(UpstreamError):
    """An answer that is no model list."""

    code = ProviderErrorCode.MALFORMED


class ServerStarved(Exception):
    """This server has no file descriptors or memory left for a call: that says nothing about the provider."""

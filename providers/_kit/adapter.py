"""An adapter's declaration: where a provider's list is, which key reads it, and how to read a row."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from catalogue.endpoint import Endpoint
from catalogue.facts import ModelFacts
from providers._kit.row import Row


def bearer(key: SecretStr) -> Mapping[str, str]:
    """The `Authorization` header with which most providers accept a key."""
    return {"Authorization": f"Bearer {key.get_secret_value()}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """Rate limit, retries and timeout of calls to one provider."""

    requests_per_minute: int = 60
    burst: int = 10
    """Calls that may be sent at once after a pause."""
    max_retries: int = 3
    backoff_ms: int = 1000
    """Milliseconds before the first retry; the wait doubles with each."""
    timeout: float = 10.0
    """Seconds for one try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointReader:
    """Where a provider publishes the endpoints of a model, and how to read one."""

    path: str
    """Relative to the base URL; `{model}` is replaced by the provider's own model id."""
    rows: Callable[[Row], tuple[Row, ...]]
    """Finds the endpoints in the decoded body."""
    read: Callable[[Row], Endpoint]
    """Reads one endpoint; raises RowError if it cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """A provider, or a dialect that several providers share."""

    id: str
    name: str
    website: str | None = None
    base_url: str | None = None
    """Null for a dialect, whose base URL is configured per provider."""
    list_path: str = "/models"
    """Path and query of the model list, relative to the base URL."""
    key_env: tuple[str, ...] = ()
    """Environment variables that may hold the key, the usual one first."""
    needs_key: bool = False
    """Whether the list requires a key."""
    headers_for_key: Callable[[SecretStr], Mapping[str, str]] = bearer
    read: Callable[[Row], ModelFacts | None]
    """Reads a row; returns null if the row is not a model, raises RowError if it cannot be read."""
    next_page: Callable[[Mapping[str, object], str], str | None] | None = None
    """From a page's decoded body and URL to the next page's URL, absolute or relative; null on the last page."""
    has_more: re.Pattern[bytes] | None = None
    """Matches every page but the last, so that a one-page list is not decoded only to find its end."""
    key_check: str | None = None
    """A path relative to the base URL, or a URL, that answers 200 to a valid key and 401 or 403 to an invalid one."""
    endpoints: EndpointReader | None = None
    calls: CallLimits = field(default_factory=CallLimits)

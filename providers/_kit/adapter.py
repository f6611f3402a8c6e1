"""A provider as its file declares it: where its list is, which key reads it, and what a row means."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from catalogue.endpoint import Endpoint
from catalogue.facts import ModelFacts
from providers._kit.row import Row


def bearer(key: SecretStr) -> Mapping[str, str]:
    """The header that most providers take a key in."""
    return {"Authorization": f"Bearer {key.get_secret_value()}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """How one provider may be called."""

    requests_per_minute: int = 60
    burst: int = 10
    """How many calls may go out at once after a pause."""
    max_retries: int = 3
    backoff_ms: int = 1000
    """The first wait before trying again, in milliseconds; it doubles."""
    timeout: float = 10.0
    """Seconds for one try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointReader:
    """Where a provider publishes the endpoints of one model, and what one of them says."""

    path: str
    """Below the base URL; `{model}` stands for the provider's own model id."""
    rows: Callable[[Row], tuple[Row, ...]]
    """The endpoints in the decoded body."""
    read: Callable[[Row], Endpoint]
    """What one endpoint says; raises RowError for garbage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """One provider, or one dialect that endpoints of several names share."""

    id: str
    name: str
    website: str | None = None
    base_url: str | None = None
    """Null for a dialect: each endpoint that speaks it is configured with its own."""
    list_path: str = "/models"
    """The model list below the base URL, its query included."""
    key_env: tuple[str, ...] = ()
    """Environment variables that may hold the key, the usual one first."""
    needs_key: bool = False
    """Whether the list is unreadable without a key."""
    headers_for_key: Callable[[SecretStr], Mapping[str, str]] = bearer
    read: Callable[[Row], ModelFacts | None]
    """What a row says; null for a row that is no model, RowError for garbage."""
    next_page: Callable[[Mapping[str, object], str], str | None] | None = None
    """From a page's decoded body and its URL to the next page's URL, absolute or relative; null at the end."""
    has_more: re.Pattern[bytes] | None = None
    """What every page but the last contains, so that a whole list in one body is not decoded just to find its end."""
    key_check: str | None = None
    """A path below the base URL, or a URL, that answers 200 for a good key and 401 or 403 for a bad one."""
    endpoints: EndpointReader | None = None
    calls: CallLimits = field(default_factory=CallLimits)

"""Settings of a provider: a table `[providers.<id>]`, with defaults from the adapter."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveInt, SecretStr

from server.config.limits import Seconds

_KEY_PARAMETER = re.compile(
    r"(.*[_.-])?(api|access|auth|client|secret|subscription)?(key|token|secret|password|auth|sig|signature|credentials?)",
    re.IGNORECASE,
)
"""Names of URL parameters that hold keys."""


def must(holds: Callable[[Any], object], words: str) -> AfterValidator:
    """Validate that a condition holds; `words` is the error message."""

    def check(value: object) -> object:
        if not holds(value):
            raise ValueError(words)
        return value

    return AfterValidator(check)


def matching(pattern: str, words: str) -> AfterValidator:
    """Validate that a text matches a pattern completely."""
    return must(re.compile(pattern).fullmatch, words)


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if not text.isprintable() or parts.scheme not in {"http", "https"} or not parts.hostname or parts.fragment:
        raise ValueError("must be an http or https URL, such as https://example.com/v1")
    if parts.username or parts.password:
        raise ValueError("must not hold a user or password; name the key's environment variable in api_key_env")
    if any(_KEY_PARAMETER.fullmatch(name) for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        raise ValueError("must not hold a key in its query; name the key's environment variable in api_key_env")
    return text.rstrip("/")


HttpUrl = Annotated[str, AfterValidator(_http_url)]
HeaderName = Annotated[str, matching(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}", "must be the name of an HTTP header")]
HeaderValue = Annotated[
    SecretStr, must(lambda value: value.get_secret_value().isprintable(), "must be one line of visible characters")
]
VariableName = Annotated[str, matching(r"[A-Za-z_][A-Za-z0-9_]{0,127}", "must be the name of an environment variable")]


class ProviderSettings(BaseModel):
    """The table `[providers.<id>]`; null means the adapter's default."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    adapter: str | None = None
    """The adapter that reads the list, such as `openai-compatible`; required unless the id is an adapter's id."""
    name: Annotated[str, Field(min_length=1, max_length=80)] | None = None
    """The display name."""
    base_url: HttpUrl | None = None
    """The base URL of the API."""
    health_url: HttpUrl | None = None
    """The URL for health checks, instead of the adapter's."""
    enabled: bool = True
    """Whether the provider is in the catalogue."""
    poll: bool = True
    """Whether it is polled on schedule; if not, only when an admin refreshes it, and then until it is healthy."""
    requests_per_minute: PositiveInt | None = None
    """Maximum calls per minute."""
    burst: PositiveInt | None = None
    """Calls that may be sent at once after a pause."""
    max_retries: Annotated[int, Field(ge=0, le=10)] | None = None
    """Retries after a failed call."""
    backoff_ms: Annotated[int, Field(gt=0, le=60_000)] | None = None
    """Milliseconds before the first retry; the wait doubles with each."""
    timeout: Annotated[Seconds, Field(le=300)] | None = None
    """Seconds for one try."""
    headers: Mapping[HeaderName, HeaderValue] = Field(default_factory=dict)
    """Headers sent with every call; their values are secrets."""
    api_key_env: VariableName | None = None
    """The environment variable that holds the key."""

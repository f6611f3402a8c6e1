"""What the operator says of one provider: a table `[providers.<id>]`, where every key has the adapter's default."""

import re
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveInt, SecretStr

from server.config.limits import Seconds

_KEY_PARAMETER = re.compile(
    r"(.*[_.-])?(api|access|auth|client|secret|subscription)?(key|token|secret|password|auth|sig|signature|credentials?)",
    re.IGNORECASE,
)
"""Parameters of a URL that hold keys."""


def matching(pattern: str, words: str) -> AfterValidator:
    """Refuse a text that does not match as a whole, in words for a person."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(words)
        return text

    return AfterValidator(check)


def _one_line(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().isprintable():
        raise ValueError("must be one line of visible characters")
    return value


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
HeaderValue = Annotated[SecretStr, AfterValidator(_one_line)]
VariableName = Annotated[str, matching(r"[A-Za-z_][A-Za-z0-9_]{0,127}", "must be the name of an environment variable")]


class ProviderSettings(BaseModel):
    """The table `[providers.<id>]`; null is the adapter's default."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    adapter: str | None = None
    """The adapter or dialect that reads it, such as `openai-compatible`; needed unless the id is an adapter's own."""
    name: Annotated[str, Field(min_length=1, max_length=80)] | None = None
    """The name that people read."""
    base_url: HttpUrl | None = None
    """Where its API is."""
    health_url: HttpUrl | None = None
    """What a health check asks, in place of the adapter's choice."""
    enabled: bool = True
    """Whether the catalogue has it."""
    poll: bool = True
    """Whether it is asked on schedule; if not, only when an admin refreshes, and then until it is well."""
    requests_per_minute: PositiveInt | None = None
    """Calls per minute to it, at most."""
    burst: PositiveInt | None = None
    """Calls at once after a pause."""
    max_retries: Annotated[int, Field(ge=0, le=10)] | None = None
    """Tries after a failed one."""
    backoff_ms: Annotated[int, Field(gt=0, le=60_000)] | None = None
    """Milliseconds before the first retry; each further one waits twice as long."""
    timeout: Annotated[Seconds, Field(le=300)] | None = None
    """Seconds for one try."""
    headers: Mapping[HeaderName, HeaderValue] = Field(default_factory=dict)
    """Headers sent with every call; their values are secrets."""
    api_key_env: VariableName | None = None
    """The environment variable that holds its key."""

"""The settings, with their types and defaults."""

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, SecretStr

from server.config.limits import Limits, Seconds
from server.config.migration_settings import Migrations, ModelId
from server.config.provider_settings import ProviderSettings, matching, must
from server.config.tokens import Token, read_token

MIN_SECRET = 16
_HOST_NAME = re.compile(r"(?!.*\.\d+$)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


def _is_host(text: str) -> bool:
    """Whether it is an IP address or a host name; no name ends in a number, so an invalid address is not a name."""
    try:
        return bool(_HOST_NAME.fullmatch(text) or ip_address(text))
    except ValueError:
        return False


def _read_origin(text: str) -> str:
    parts = urlsplit(text)
    is_origin = parts.hostname and text == f"{parts.scheme}://{parts.netloc}" and "@" not in text
    if text != "*" and not is_origin:
        raise ValueError("each origin must be * or like https://app.example.com, without a path")
    return text.lower()


def _read_network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise ValueError("each proxy must be an address or a network, such as 10.0.0.0/8") from None


def _each(read: Callable[[str], Any]) -> PlainValidator:
    """Read a list of strings, or one comma-separated string as in an environment variable."""

    def split(value: object) -> object:
        items = value.split(",") if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise ValueError("must be a list of strings, or one comma-separated string")
        return tuple(read(item.strip()) for item in items if item.strip())

    return PlainValidator(split)


ProviderId = Annotated[
    str, matching(r"[a-z0-9][a-z0-9._-]{0,63}", "must be a short name of a-z, 0-9, '.', '_' and '-'")
]
Host = Annotated[str, must(_is_host, "must be an IP address or a host name, such as 127.0.0.1 or ::1")]
Secret = Annotated[
    SecretStr,
    must(lambda secret: len(secret.get_secret_value()) >= MIN_SECRET, f"must have at least {MIN_SECRET} characters"),
]
Share = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]


def _data_dir() -> Path:
    """The user's data folder; a user without a home has none, which matters only where no other folder is set."""
    try:
        return user_data_path("model-catalogue", appauthor=False)
    except RuntimeError:
        return Path("/nonexistent/model-catalogue")


class Settings(BaseModel):
    """The whole configuration, as read by `server.config.configuration`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True)

    host: Host = "127.0.0.1"
    """The address to listen on."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    """The port to listen on; 0 selects a free one."""
    data_dir: Path = Field(default_factory=_data_dir)
    """The folder of the store, the generated secret and the generated admin token."""
    secret: Secret | None = None
    """The secret for hashing keys, at least 16 characters; if unset, one is generated once in `data_dir`."""
    model_list_ttl: Seconds = 600
    """Seconds that a model list stays fresh."""
    model_details_ttl: Seconds = 3600
    """Seconds that the endpoints of a model stay fresh."""
    provider_health_ttl: Seconds = 30
    """Seconds between health checks of a provider."""
    key_wait_seconds: Seconds = 2.0
    """Seconds that the first request with a caller's key waits for that key's list."""
    guard_removed_share: Share = 0.30
    """Share of models that a new list may lose before it is quarantined; fewer than ten are always accepted."""
    guard_repriced_share: Share = 0.05
    """Share of prices that may jump or vanish before a list is quarantined; fewer than ten are always accepted."""
    admin_tokens: Annotated[tuple[Token, ...], _each(read_token)] = ()
    """Admin tokens, see below; if unset, one is generated in the file `admin-token` in `data_dir`."""
    cors_origins: Annotated[tuple[str, ...], _each(_read_origin)] = ()
    """Origins whose pages may read responses and open WebSockets, `*` for any; the server's own origin always may."""
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], _each(_read_network)] = ()
    """Addresses or networks whose X-Forwarded-For and X-Forwarded-Proto headers are trusted."""
    audit_retention_days: Annotated[int, Field(ge=1, le=3_650)] = 90
    """Days that audit log entries are kept."""
    allowed_documents: Path | None = None
    """The only documents that may run: a JSON file of documents by hash, or a folder of `.graphql` files, see below."""
    introspection: bool = True
    """Whether clients may query the schema."""
    suggestions: bool = False
    """Whether errors may suggest names from the schema."""
    graphiql: bool = False
    """Whether browsers get the GraphiQL page, which loads its code from another host."""
    log_format: Literal["auto", "console", "json"] = "auto"
    """Log output: `console` for people, `json` for JSON lines, `auto` for `console` if stderr is a terminal."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The minimum severity of log records."""
    default_model: ModelId | None = None
    """The id of the model that new users start with, before automatic migrations."""
    limits: Limits = Limits()
    """Limits of requests and clients, see below."""
    providers: Mapping[ProviderId, ProviderSettings] = Field(default_factory=dict)
    """Providers by id, see below."""
    migrations: Migrations = ()
    """Model migrations, see below."""

    @property
    def exempts_loopback(self) -> bool:
        """Whether clients on this machine are exempt from the limits per client."""
        return not self.trusted_proxies and not self.limits.limit_loopback

    @property
    def local_url(self) -> str:
        """The URL of the server for commands on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - read, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def store_file(self) -> Path:
        """The path of the store."""
        return self.data_dir / "catalogue.db"

    def secrets(self) -> Iterator[SecretStr]:
        """The secrets in the settings, which no log may show."""
        if self.secret:
            yield self.secret
        yield from (token.plain for token in self.admin_tokens if token.plain)
        for provider in self.providers.values():
            yield from provider.headers.values()

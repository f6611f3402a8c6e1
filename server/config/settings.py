"""What the operator decides: the shape of the configuration, with every default."""

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from platformdirs import user_data_path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, SecretStr

from server.config.limits import Limits, Seconds
from server.config.migration_settings import Migrations, ModelId
from server.config.provider_settings import ProviderSettings, matching
from server.config.tokens import Token, read_token

MIN_SECRET = 16
_HOST_NAME = re.compile(r"(?!.*\.\d+$)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


def _read_host(text: str) -> str:
    """Take what can be an address or a name; a name does not end in a number, so that a wrong address is none."""
    if not _HOST_NAME.fullmatch(text):
        try:
            ip_address(text)
        except ValueError:
            raise ValueError("must be an IP address or a host name, such as 127.0.0.1 or ::1") from None
    return text


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
    """Read a list from strings, or from one string with commas as environment variables have it."""

    def split(value: object) -> object:
        items = value.split(",") if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise ValueError("must be a list of strings, or one string with commas")
        return tuple(read(item.strip()) for item in items if item.strip())

    return PlainValidator(split)


def _long_enough(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < MIN_SECRET:
        raise ValueError(f"must have {MIN_SECRET} characters or more")
    return secret


ProviderId = Annotated[
    str, matching(r"[a-z0-9][a-z0-9._-]{0,63}", "must be a short name of a-z, 0-9, '.', '_' and '-'")
]
Share = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]


class Settings(BaseModel):
    """The whole configuration; `server.config.configuration` reads it from the environment and a file."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
    )

    host: Annotated[str, AfterValidator(_read_host)] = "127.0.0.1"
    """The address to listen on."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    """The port to listen on; 0 is any free one."""
    data_dir: Path = Field(default_factory=lambda: user_data_path("model-catalogue", appauthor=False))
    """Where the embedded store, the made secret and the made admin token live."""
    secret: Annotated[SecretStr, AfterValidator(_long_enough)] | None = None
    """What keys are hashed with, 16 characters or more; made once into data_dir when absent."""
    model_list_ttl: Seconds = 600
    """Seconds that a model list is fresh."""
    model_details_ttl: Seconds = 3600
    """Seconds that the endpoints of a model are fresh."""
    provider_health_ttl: Seconds = 30
    """Seconds between two health checks of a provider."""
    key_wait_seconds: Seconds = 2.0
    """Seconds that a first request with a caller's key waits for the caller's list."""
    guard_removed_share: Share = 0.30
    """The share of models that a list may lose before it is held back; fewer than ten lost never are a reason."""
    guard_repriced_share: Share = 0.05
    """The share of priced models whose price may jump or vanish before a list is held back; ten or more must."""
    admin_tokens: Annotated[tuple[Token, ...], _each(read_token)] = ()
    """Admin tokens, see below; when there are none, one is made into `admin-token` in data_dir."""
    cors_origins: Annotated[tuple[str, ...], _each(_read_origin)] = ()
    """Origins whose pages may read answers and open WebSockets, `*` for any; the server's own always may."""
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], _each(_read_network)] = ()
    """Addresses or networks whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    audit_retention_days: Annotated[int, Field(ge=1, le=3_650)] = 90
    """Days that entries of the audit log are kept."""
    allowed_documents: Path | None = None
    """The only documents that may run: a JSON file of them by hash, or a folder of `.graphql` files, see below."""
    introspection: bool = True
    """Whether clients may read the schema."""
    suggestions: bool = False
    """Whether errors may suggest names of the schema."""
    graphiql: bool = False
    """Whether browsers get the GraphiQL page, which loads its code from another host."""
    log_format: Literal["auto", "console", "json"] = "auto"
    """How logs are written: for people, as JSON lines, or by whether stderr is a terminal."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe log record that is written."""
    default_model: ModelId | None = None
    """The id of the model that new users start with, before automatic migrations."""
    limits: Limits = Limits()
    """Every limit of the front, see below."""
    providers: Mapping[ProviderId, ProviderSettings] = Field(default_factory=dict)
    """Providers by id, see below."""
    migrations: Migrations = ()
    """What former model ids stand for now, see below."""

    @property
    def exempts_loopback(self) -> bool:
        """Whether callers on this machine are free of the limits per client."""
        return not self.trusted_proxies and not self.limits.limit_loopback

    @property
    def local_url(self) -> str:
        """Where a command on this machine finds the server."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - read, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def store_file(self) -> Path:
        """The embedded store."""
        return self.data_dir / "catalogue.db"

    def secrets(self) -> Iterator[SecretStr]:
        """Everything in here that no log may show."""
        if self.secret:
            yield self.secret
        yield from (token.plain for token in self.admin_tokens if token.plain)
        for provider in self.providers.values():
            yield from provider.headers.values()

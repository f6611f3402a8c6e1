"""An adapter as configured: the provider that is really called, under its own name, with its key and limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import SecretStr

from catalogue.snapshot import Profile
from catalogue.vocabulary import KeySource
from providers._kit.adapter import Adapter, CallLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """A configured provider."""

    id: str
    name: str
    adapter: Adapter
    base_url: str
    health_url: str | None = None
    """Asked instead of the adapter's key check, where the configuration names one."""
    key: SecretStr | None = None
    key_source: KeySource = KeySource.NONE
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """Sent with every call, as the configuration says."""
    calls: CallLimits = field(default_factory=CallLimits)
    enabled: bool = True
    poll: bool = True
    """Whether it is asked on schedule; if not, only when an admin refreshes, and then until it is well."""

    @property
    def configured(self) -> bool:
        """Whether its list can be read: it has a key, or needs none."""
        return self.key is not None or not self.adapter.needs_key

    def profile(self, list_ttl: timedelta) -> Profile:
        """What the catalogue shows of the configuration."""
        return Profile(
            id=self.id,
            name=self.name,
            website=self.adapter.website,
            configured=self.configured,
            key_source=self.key_source,
            list_ttl=list_ttl,
        )

    def list_url(self) -> str:
        """Where the first page of the model list is."""
        return join_url(self.base_url, self.adapter.list_path)

    def check_url(self) -> str | None:
        """Where a key or the health is checked without a model; null where the list is all there is to ask.

        A key check on another host belongs to the adapter's own base URL: a key for any other is not sent there.
        """
        if self.health_url is not None:
            return join_url(self.base_url, self.health_url)
        check = self.adapter.key_check
        if check is None or ("://" in check and self.base_url.rstrip("/") != self.adapter.base_url):
            return None
        return join_url(self.base_url, check)

    def endpoints_url(self, model_id: str) -> str | None:
        """Where the endpoints of a model are, by the provider's own model id; null where it publishes none."""
        reader = self.adapter.endpoints
        if reader is None:
            return None
        return join_url(self.base_url, reader.path.format(model=quote(model_id, safe="/:@~")))

    def request_headers(self, key: SecretStr | None) -> Mapping[str, str]:
        """The headers of a call with a key, or without one."""
        return dict(self.headers) if key is None else {**self.headers, **self.adapter.headers_for_key(key)}


def join_url(base_url: str, path: str) -> str:
    """A path put below a base URL, keeping the base's own path and query; an absolute URL stays as it is."""
    if "://" in path:
        return path
    base, below = urlsplit(base_url), urlsplit(path)
    whole = f"{base.path.rstrip('/')}/{below.path.lstrip('/')}"
    query = "&".join(part for part in (base.query, below.query) if part)
    return urlunsplit((base.scheme, base.netloc, whole, query, ""))

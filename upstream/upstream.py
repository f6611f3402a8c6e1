"""A configured provider: an adapter with an id, a name, a base URL, a key and limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import SecretStr

from catalogue.provider import Profile
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
    """Requested instead of the adapter's key check, if configured."""
    key: SecretStr | None = None
    key_source: KeySource = KeySource.NONE
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """Configured headers, sent with every call."""
    calls: CallLimits = field(default_factory=CallLimits)
    poll: bool = True
    """Whether it is polled on schedule; if not, only when an admin refreshes it, and then until it is healthy."""

    @property
    def configured(self) -> bool:
        """Whether its list can be read: it has a key or needs none."""
        return self.key is not None or not self.adapter.needs_key

    def profile(self, list_ttl: timedelta) -> Profile:
        """The part of the configuration that the catalogue shows."""
        return Profile(
            id=self.id,
            name=self.name,
            website=self.adapter.website,
            configured=self.configured,
            key_source=self.key_source,
            list_ttl=list_ttl,
            polled=self.poll,
        )

    def list_url(self) -> str:
        """The URL of the first page of the model list."""
        return join_url(self.base_url, self.adapter.list_path)

    def check_url(self) -> str | None:
        """The URL that checks a key or the health without using a model; null if there is only the list.

        A key check on another host belongs to the adapter's own base URL: keys for other base URLs are not sent there.
        """
        if self.health_url is not None:
            return join_url(self.base_url, self.health_url)
        check = self.adapter.key_check
        if check is None or ("://" in check and self.base_url.rstrip("/") != self.adapter.base_url):
            return None
        return join_url(self.base_url, check)

    def endpoints_url(self, model_id: str) -> str | None:
        """The URL of a model's endpoints, by the provider's own model id; null if the provider publishes none."""
        reader = self.adapter.endpoints
        if reader is None:
            return None
        return join_url(self.base_url, reader.path.format(model=quote(model_id, safe="/:@~")))

    def request_headers(self, key: SecretStr | None) -> Mapping[str, str]:
        """The headers of a call, with or without a key."""
        return dict(self.headers) if key is None else {**self.headers, **self.adapter.headers_for_key(key)}


def join_url(base_url: str, path: str) -> str:
    """Append a path to a base URL, keeping the base's path and query; an absolute URL is returned unchanged."""
    if "://" in path:
        return path
    base, below = urlsplit(base_url), urlsplit(path)
    whole = f"{base.path.rstrip('/')}/{below.path.lstrip('/')}"
    query = "&".join(part for part in (base.query, below.query) if part)
    return urlunsplit((base.scheme, base.netloc, whole, query, ""))

"""The ports and settings that resolvers need from the rest of the server."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from catalogue.migration import ModelMigration
from catalogue.ports.audit import Audit
from catalogue.ports.health import HealthHistory
from catalogue.ports.limits import ClientLimits
from catalogue.ports.on_demand import CallerLists, EndpointSource
from catalogue.ports.reading import Feed, Reader
from catalogue.ports.refreshing import Refresher


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The ports and settings, set once for all requests."""

    reader: Reader
    feed: Feed
    refresher: Refresher
    history: HealthHistory
    endpoints: EndpointSource
    own_lists: CallerLists
    audit: Audit
    client_limits: ClientLimits
    clock: Callable[[], datetime]
    """The time in UTC."""
    default_model: str | None
    """The configured default model id, before migrations."""
    migrations: Sequence[ModelMigration]
    """The configured migrations."""

"""What answers need from the rest of the server: one place for every port, and for what the operator decided."""

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
    """What the server fills once, for all requests."""

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
    """The id of the model that new users start with, before migrations; null when none is configured."""
    migrations: Sequence[ModelMigration]
    """The configured migrations."""

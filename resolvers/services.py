"""What answers need from the rest of the server: one place for every port."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from catalogue.ports import (
    Audit,
    CallerLists,
    ClientLimits,
    EndpointSource,
    Feed,
    HealthHistory,
    Reader,
    Refresher,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The ports that the server fills once, for all requests."""

    reader: Reader
    feed: Feed
    refresher: Refresher
    history: HealthHistory
    endpoints: EndpointSource
    callers: CallerLists
    audit: Audit
    client_limits: ClientLimits
    clock: Callable[[], datetime]
    """The time in UTC."""

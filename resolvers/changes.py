"""The subscriptions. They deliver public data only."""

from collections.abc import AsyncIterator, Iterable
from typing import Annotated

import strawberry
from strawberry import argument

from catalogue import change, refresh
from catalogue.change import ChangeFilter
from catalogue.position import position_of
from catalogue.selection import check_providers
from resolvers.context import Info
from schema.arguments import Kinds, Providers, Since
from schema.change import Change
from schema.declaration import resolved
from schema.enums import ChangeKind
from schema.policy import Policy, Reads
from schema.refresh import RefreshProgress

Models = Annotated[list[strawberry.ID] | None, argument("Only these models. Null or an empty list means all.")]

AVAILABILITY = frozenset({ChangeKind.STATUS_CHANGED, ChangeKind.MODEL_ADDED, ChangeKind.MODEL_REMOVED})
HEALTH = frozenset({ChangeKind.PROVIDER_HEALTH_CHANGED})


@resolved(Change, Policy(Reads.STORE), is_subscription=True)
def availability_changed(
    info: Info, *, provider: Providers = None, model: Models = None, since: Since = None
) -> AsyncIterator[change.Change]:
    """Changes of models' availability: `StatusChanged`, `ModelAdded`, `ModelRemoved` and `Resync`."""
    return _follow(info, AVAILABILITY, provider, since, models=model or ())


@resolved(Change, Policy(Reads.STORE), is_subscription=True)
def provider_health_changed(
    info: Info, *, provider: Providers = None, since: Since = None
) -> AsyncIterator[change.Change]:
    """Changes of providers' health: `ProviderHealthChanged` and `Resync`."""
    return _follow(info, HEALTH, provider, since)


@resolved(Change, Policy(Reads.STORE), is_subscription=True)
def catalogue_changed(
    info: Info, *, kinds: Kinds = None, provider: Providers = None, since: Since = None
) -> AsyncIterator[change.Change]:
    """Changes of all kinds, or of the given kinds."""
    return _follow(info, kinds or (), provider, since)


@resolved(RefreshProgress, Policy(Reads.HEALTH), is_subscription=True)
def refresh_progress(info: Info) -> AsyncIterator[refresh.RefreshProgress]:
    """The steps of all refreshes, scheduled ones included, for progress bars."""
    return info.context.services.refresher.progress()


def _follow(
    info: Info,
    kinds: Iterable[ChangeKind],
    provider: list[strawberry.ID] | None,
    since: str | None,
    *,
    models: Iterable[str] = (),
) -> AsyncIterator[change.Change]:
    """Follow the feed. A resumed stream continues after its last event, whatever `since` the document has."""
    services, providers = info.context.services, frozenset(provider or ())
    check_providers(services.reader.snapshot, providers)
    start = info.context.scope.last_event_id or since
    if start is not None:
        position_of(start)
    wanted = ChangeFilter(kinds=frozenset(kind.value for kind in kinds), providers=providers, models=frozenset(models))
    return services.feed.follow(start, wanted)


def event_id(event: object) -> str | None:
    """Return the id of a subscription's event: the cursor of a change, null for any other event."""
    return event.position.cursor if isinstance(event, change.ChangeRecord) else None

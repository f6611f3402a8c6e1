"""Following changes and refreshes as they happen, filtered before delivery; always of public data alone."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Annotated, TypeVar, cast

import strawberry

from catalogue import cursor
from catalogue.change import Change, ModelChange
from catalogue.refresh import RefreshProgress
from catalogue.selection import check_providers
from resolvers.info import Info
from schema.arguments import Kinds, Providers, Since
from schema.enums import ChangeKind

Models = Annotated[
    list[strawberry.ID] | None,
    strawberry.argument(description="Only of these models; none or an empty list means all."),
]

AVAILABILITY = frozenset({ChangeKind.STATUS_CHANGED, ChangeKind.MODEL_ADDED, ChangeKind.MODEL_REMOVED})
HEALTH = frozenset({ChangeKind.PROVIDER_HEALTH_CHANGED})

T = TypeVar("T")


def availability_changed(
    info: Info, *, provider: Providers = None, model: Models = None, since: Since = None
) -> AsyncIterator[Change]:
    """Follow models whose status changed, and models that came or went."""
    ids = frozenset(model or ())

    def wanted(change: Change) -> bool:
        return not ids or (isinstance(change, ModelChange) and change.model.facts.id in ids)

    return _follow(info, AVAILABILITY, provider, since, wanted)


def provider_health_changed(info: Info, *, provider: Providers = None, since: Since = None) -> AsyncIterator[Change]:
    """Follow the health of providers."""
    return _follow(info, HEALTH, provider, since)


def catalogue_changed(
    info: Info, *, kinds: Kinds = None, provider: Providers = None, since: Since = None
) -> AsyncIterator[Change]:
    """Follow every kind of change."""
    return _follow(info, frozenset(kinds or ChangeKind), provider, since)


def refresh_progress(info: Info) -> AsyncIterator[RefreshProgress]:
    """Follow the steps of refreshes."""
    return _closing(info.context.services.refresher.progress(), lambda _: True)


def _follow(
    info: Info,
    kinds: frozenset[ChangeKind],
    provider: list[strawberry.ID] | None,
    since: str | None,
    wanted: Callable[[Change], bool] = lambda _: True,
) -> AsyncIterator[Change]:
    """Follow the feed; a resumed stream goes on after its last event, wherever the document says it began."""
    services, ids = info.context.services, frozenset(provider or ())
    check_providers(services.reader.snapshot, ids)
    start = info.context.scope.last_event_id or since
    if start is not None:
        cursor.decode(start)

    def passes(change: Change) -> bool:
        if change.kind == ChangeKind.RESYNC.value:
            return True
        return ChangeKind(change.kind) in kinds and (not ids or change.provider_id in ids) and wanted(change)

    return _closing(services.feed.follow(start), passes)


async def _closing(source: AsyncIterator[T], passes: Callable[[T], bool]) -> AsyncGenerator[T, None]:
    """What passes, from a generator that is closed as soon as the subscriber leaves."""
    async with aclosing(cast("AsyncGenerator[T, None]", source)) as events:
        async for event in events:
            if passes(event):
                yield event

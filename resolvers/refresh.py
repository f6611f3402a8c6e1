"""Setting refreshes going and deciding about lists that are held back."""

from collections.abc import Collection, Sequence
from typing import Annotated

import strawberry

from catalogue.refresh import ProviderRefresh
from catalogue.scope import Grant
from catalogue.selection import check_providers
from resolvers.admin import admin
from resolvers.context import Context
from resolvers.info import Info
from resolvers.position import position
from schema.arguments import Providers
from schema.refresh import RefreshCataloguePayload, ResolveQuarantinePayload

_LONGEST_TARGET = 200

Force = Annotated[bool, strawberry.argument(description="False fetches only lists that are past their lifetime.")]
QuarantineId = Annotated[strawberry.ID, strawberry.argument(description="The id of the list that is held back.")]
Accept = Annotated[bool, strawberry.argument(description="True puts the list in force; false discards it.")]


async def refresh_catalogue(info: Info, *, provider: Providers = None, force: Force = True) -> RefreshCataloguePayload:
    """Fetch now, and tell what each provider did."""
    results = await refresh(info.context, provider or (), force=force)
    snapshot = info.context.snapshot
    return RefreshCataloguePayload(
        revision=snapshot.revision,
        cursor=position(snapshot),
        results=results,
        changes=sorted((change for result in results for change in result.changes), key=lambda change: change.seq),
    )


async def refresh(context: Context, provider_ids: Collection[str], *, force: bool) -> Sequence[ProviderRefresh]:
    """Let an admin refresh the named providers, or all; what the context reads afterwards is the new state."""
    context.private = True
    services = context.services
    target = ", ".join(sorted(provider_ids))[:_LONGEST_TARGET] or None
    with admin(context.scope, services.audit, Grant.REFRESH, "refreshCatalogue", target):
        known = services.reader.snapshot
        check_providers(known, provider_ids)
        chosen = [id_ for id_ in known.providers if not provider_ids or id_ in provider_ids]
        results = await services.refresher.refresh(chosen, force=force)
    context.renew()
    return results


async def resolve_quarantine(info: Info, *, quarantine: QuarantineId, accept: Accept) -> ResolveQuarantinePayload:
    """Accept or discard a list that is held back."""
    context = info.context
    context.private = True
    services = context.services
    with admin(context.scope, services.audit, Grant.ADMIN, "resolveQuarantine", quarantine[:_LONGEST_TARGET]):
        state = await services.refresher.resolve_quarantine(quarantine, accept=accept)
    snapshot = context.renew()
    return ResolveQuarantinePayload(
        revision=snapshot.revision, cursor=position(snapshot), accepted=accept, provider=state
    )

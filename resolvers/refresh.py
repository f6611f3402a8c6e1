"""Setting refreshes going and deciding about lists that are held back."""

from typing import Annotated

import strawberry

from catalogue.scope import Grant
from catalogue.selection import check_providers
from resolvers.admin import admin
from resolvers.info import Info
from resolvers.position import position
from schema.arguments import Providers
from schema.refresh import RefreshCataloguePayload, ResolveQuarantinePayload

Force = Annotated[bool, strawberry.argument(description="False fetches only lists that are past their lifetime.")]
QuarantineId = Annotated[strawberry.ID, strawberry.argument(description="The id of the list that is held back.")]
Accept = Annotated[bool, strawberry.argument(description="True puts the list in force; false discards it.")]


async def refresh_catalogue(info: Info, *, provider: Providers = None, force: Force = True) -> RefreshCataloguePayload:
    """Fetch now, and tell what each provider did."""
    context = info.context
    context.private = True
    services = context.services
    with admin(
        context.scope, services.audit, Grant.REFRESH, "refreshCatalogue", ", ".join(provider or ())[:200] or None
    ):
        known = services.reader.snapshot
        check_providers(known, provider or ())
        chosen = [id_ for id_ in known.providers if not provider or id_ in provider]
        results = await services.refresher.refresh(chosen, force=force)
    snapshot = context.renew()
    return RefreshCataloguePayload(
        revision=snapshot.revision,
        cursor=position(snapshot),
        results=results,
        changes=sorted((change for result in results for change in result.changes), key=lambda change: change.seq),
    )


async def resolve_quarantine(info: Info, *, quarantine: QuarantineId, accept: Accept) -> ResolveQuarantinePayload:
    """Accept or discard a list that is held back."""
    context = info.context
    context.private = True
    services = context.services
    with admin(context.scope, services.audit, Grant.ADMIN, "resolveQuarantine", quarantine[:200]):
        state = await services.refresher.resolve_quarantine(quarantine, accept=accept)
    snapshot = context.renew()
    return ResolveQuarantinePayload(
        revision=snapshot.revision, cursor=position(snapshot), accepted=accept, provider=state
    )

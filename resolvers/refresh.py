"""Setting refreshes going and deciding about lists that are held back."""

import asyncio
from collections.abc import Collection, Container, Sequence
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
_UNKNOWN = "unknown"

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
    services = context.services
    known = services.reader.snapshot
    target = _target(provider_ids, known.providers)
    with admin(context.scope, services.audit, Grant.REFRESH, "refreshCatalogue", target):
        check_providers(known, provider_ids)
        chosen = [id_ for id_ in known.providers if not provider_ids or id_ in provider_ids]
        # The caller's own lists are read meanwhile, so that both fit within the time of one operation.
        results, _ = await asyncio.gather(services.refresher.refresh(chosen, force=force), context.overlay())
    await context.renew()
    return results


async def resolve_quarantine(info: Info, *, quarantine: QuarantineId, accept: Accept) -> ResolveQuarantinePayload:
    """Accept or discard a list that is held back."""
    context = info.context
    services = context.services
    standings = (provider.standing for provider in services.reader.snapshot.providers.values())
    held = {standing.quarantine.id for standing in standings if standing.quarantine}
    with admin(context.scope, services.audit, Grant.ADMIN, "resolveQuarantine", _target([quarantine], held)):
        state = await services.refresher.resolve_quarantine(quarantine, accept=accept)
    snapshot = await context.renew()
    return ResolveQuarantinePayload(
        revision=snapshot.revision,
        cursor=position(snapshot),
        accepted=accept,
        provider=snapshot.providers.get(state.id, state),
    )


def _target(asked: Collection[str], known: Container[str]) -> str | None:
    """Name known ids alone for the audit log: whatever else a caller writes there may be a secret."""
    return ", ".join(sorted({id_ if id_ in known else _UNKNOWN for id_ in asked}))[:_LONGEST_TARGET] or None

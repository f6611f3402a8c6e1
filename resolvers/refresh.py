"""The root fields for refreshes and quarantine decisions."""

import asyncio
from collections.abc import Collection, Container, Sequence
from typing import Annotated

import strawberry
from strawberry import argument

from catalogue.refresh import ProviderRefresh
from catalogue.scope import Grant
from catalogue.selection import check_providers
from resolvers.admin import admin
from resolvers.context import Context, Info
from schema.arguments import Providers
from schema.declaration import resolved
from schema.policy import Policy, Reads
from schema.refresh import RefreshCataloguePayload, ResolveQuarantinePayload
from schema.scalars import Cursor

_LONGEST_TARGET = 200
_UNKNOWN = "unknown"

Force = Annotated[bool, argument("Whether to read all lists. If false, only those past their lifetime are read.")]
QuarantineId = Annotated[strawberry.ID, argument("The id of the quarantined list.")]
Accept = Annotated[bool, argument("True to use the list, false to discard it.")]

_READS = Reads.REVISION | Reads.HEALTH | Reads.CALLER


@resolved(RefreshCataloguePayload, Policy(_READS))
async def refresh_catalogue(info: Info, *, provider: Providers = None, force: Force = True) -> RefreshCataloguePayload:
    """Reads providers' lists now. Responds within about 8 seconds. Requires a token with the scope `refresh`."""
    results = await refresh(info.context, provider or (), force=force)
    snapshot = info.context.snapshot
    return RefreshCataloguePayload(
        revision=snapshot.revision.number,
        cursor=Cursor(snapshot.revision.position.cursor),
        results=results,
        changes=sorted((c for result in results for c in result.changes), key=lambda c: c.position.seq),
    )


async def refresh(context: Context, provider_ids: Collection[str], *, force: bool) -> Sequence[ProviderRefresh]:
    """Refresh the given providers, or all, for an admin. Afterwards the context reads the new state."""
    services = context.services
    known = services.reader.snapshot
    target = _target(provider_ids, known.providers)
    with admin(context.scope, services.audit, Grant.REFRESH, "refreshCatalogue", target):
        check_providers(known, provider_ids)
        chosen = [id_ for id_ in known.providers if not provider_ids or id_ in provider_ids]
        # The caller's own lists are read at the same time, so that both fit within the time of one operation.
        results, _ = await asyncio.gather(services.refresher.refresh(chosen, force=force), context.overlay())
    await context.renew()
    return results


@resolved(ResolveQuarantinePayload, Policy(_READS))
async def resolve_quarantine(info: Info, *, quarantine: QuarantineId, accept: Accept) -> ResolveQuarantinePayload:
    """Accepts or discards a quarantined list. Requires a token with the scope `admin`."""
    context = info.context
    services = context.services
    healths = (provider.health for provider in services.reader.snapshot.providers.values())
    held = {health.quarantine.id for health in healths if health.quarantine}
    with admin(context.scope, services.audit, Grant.ADMIN, "resolveQuarantine", _target([quarantine], held)):
        state = await services.refresher.resolve_quarantine(quarantine, accept=accept)
    snapshot = await context.renew()
    return ResolveQuarantinePayload(
        revision=snapshot.revision.number,
        cursor=Cursor(snapshot.revision.position.cursor),
        accepted=accept,
        provider=snapshot.providers.get(state.id, state),
    )


def _target(asked: Collection[str], known: Container[str]) -> str | None:
    """Return the known ids for the audit log. Other texts may be secrets that the caller pasted by mistake."""
    return ", ".join(sorted({id_ if id_ in known else _UNKNOWN for id_ in asked}))[:_LONGEST_TARGET] or None

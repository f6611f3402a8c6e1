"""The root fields for the catalogue as a whole and for the caller's limits."""

from dataclasses import asdict

import strawberry

from resolvers.context import Info
from schema.caller import ClientLimit
from schema.catalogue import Catalogue
from schema.declaration import resolved
from schema.policy import Policy, Reads
from schema.scalars import Cursor


@resolved(Catalogue, Policy(Reads.REVISION))
async def catalogue(info: Info) -> Catalogue:
    """The catalogue as a whole. Query its cursor to follow changes from this response on."""
    overlay = await info.context.overlay()
    snapshot = overlay.snapshot
    return Catalogue(
        revision=snapshot.revision.number,
        cursor=Cursor(snapshot.revision.position.cursor),
        last_updated=snapshot.revision.updated_at,
        total_models=snapshot.revision.total_models,
        cache_hit=not overlay.waited,
        providers=list(snapshot.providers.values()),
        user_provided_keys=[strawberry.ID(id_) for id_ in overlay.own],
    )


@resolved(ClientLimit, Policy(Reads.CALLER | Reads.CLOCK))
def client_limit(info: Info) -> ClientLimit:
    """The caller's rate limit and the cost of this operation."""
    context = info.context
    allowance = context.services.client_limits.allowance(context.scope.client)
    return ClientLimit(cost=context.cost, **asdict(allowance))

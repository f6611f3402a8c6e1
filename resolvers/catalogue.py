"""The catalogue as a whole, and what its caller may still ask for."""

import strawberry

from resolvers.info import Info
from resolvers.position import position
from schema.catalogue import Catalogue
from schema.client_limit import ClientLimit


async def catalogue(info: Info) -> Catalogue:
    """The state that this answer reads."""
    overlay = await info.context.overlay()
    snapshot = overlay.snapshot
    return Catalogue(
        revision=snapshot.revision,
        cursor=position(snapshot),
        last_updated=snapshot.updated_at,
        total_models=snapshot.total_models,
        cache_hit=not overlay.waited,
        providers=list(snapshot.providers.values()),
        user_provided_keys=[strawberry.ID(id_) for id_ in overlay.own],
    )


def client_limit(info: Info) -> ClientLimit:
    """The caller's own allowance, which is nobody else's business."""
    context = info.context
    allowance = context.services.client_limits.allowance(context.scope.client)
    return ClientLimit(
        limit=allowance.limit,
        remaining=allowance.remaining,
        reset_at=allowance.reset_at,
        cost=context.cost,
        cost_limit=allowance.cost_limit,
    )

"""Finding models: one by its id, many by criteria, and a page of them."""

from typing import Annotated

import strawberry

from catalogue.ranking import OrderField, Ranking, Row
from catalogue.selection import Criteria, Filter, select
from catalogue.snapshot import Snapshot
from catalogue.view import ModelView
from catalogue.vocabulary import Capability, ModelStatus
from resolvers.info import Info
from resolvers.paging import span, write_cursor
from schema.arguments import After, Before, Capabilities, First, Last, Limit, Offset, Providers, Statuses, bounded
from schema.connection import ModelConnection, ModelEdge, PageInfo
from schema.inputs import ModelFilter, ModelOrder

Search = Annotated[
    str | None,
    strawberry.argument(
        description="Only models in whose name, id or lab every word of this occurs: 10 words, 200 characters at most."
    ),
]
Wanted = Annotated[ModelFilter | None, strawberry.argument(description="Only models that meet all these conditions.")]
Order = Annotated[ModelOrder | None, strawberry.argument(description="The order; by default by name, then id.")]
ModelId = Annotated[strawberry.ID, strawberry.argument(description="The model's id: provider, slash, model id.")]


async def models(
    info: Info,
    *,
    provider: Providers = None,
    capability: Capabilities = None,
    status: Statuses = None,
    search: Search = None,
    filter: Wanted = None,  # noqa: A002 - the argument's name in the contract
    order_by: Order = None,
    limit: Limit = None,
    offset: Offset = 0,
) -> list[ModelView]:
    """Every model that meets all arguments, in order."""
    start, size = bounded("offset", offset) or 0, bounded("limit", limit)
    snapshot = (await info.context.overlay()).snapshot
    criteria = _criteria(provider, capability, status, search, filter)
    rows = select(snapshot, criteria, _ranking(order_by, criteria))
    return _views(snapshot, rows[start:][:size])


async def models_connection(
    info: Info,
    *,
    provider: Providers = None,
    capability: Capabilities = None,
    status: Statuses = None,
    search: Search = None,
    filter: Wanted = None,  # noqa: A002 - the argument's name in the contract
    order_by: Order = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> ModelConnection:
    """The same, a page at a time."""
    snapshot = (await info.context.overlay()).snapshot
    criteria = _criteria(provider, capability, status, search, filter)
    ranking = _ranking(order_by, criteria)
    rows = select(snapshot, criteria, ranking)
    start, stop = span(rows, ranking, first=first, after=after, last=last, before=before)
    page = rows[start:stop]
    nodes = _views(snapshot, page)
    cursors = [write_cursor(ranking, row) for row in page]
    return ModelConnection(
        edges=[ModelEdge(cursor=c, node=n) for c, n in zip(cursors, nodes, strict=True)],
        nodes=nodes,
        page_info=PageInfo(
            has_next_page=stop < len(rows),
            has_previous_page=start > 0,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        ),
        total_count=len(rows),
    )


async def model(info: Info, id: ModelId) -> ModelView | None:  # noqa: A002 - the argument's name in the contract
    """The model with this id; null where there is none."""
    return (await info.context.overlay()).snapshot.model(id)


def _criteria(
    provider: list[strawberry.ID] | None,
    capability: list[Capability] | None,
    status: list[ModelStatus] | None,
    search: str | None,
    wanted: Filter | None,
) -> Criteria:
    return Criteria(
        providers=frozenset(provider or ()),
        statuses=frozenset(status or ()),
        capabilities=frozenset(capability or ()),
        search=search or "",
        filter=wanted or Filter(),
    )


def _ranking(order: ModelOrder | None, criteria: Criteria) -> Ranking:
    if order is None or (order.field is OrderField.RELEVANCE and not criteria.needle):
        return Ranking()
    return Ranking(order.field, order.direction, criteria.needle)


def _views(snapshot: Snapshot, rows: list[Row]) -> list[ModelView]:
    return [state.view(facts, snapshot.judged_at) for state, facts in rows]

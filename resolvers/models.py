"""The root fields for models."""

from typing import Annotated

import strawberry
from strawberry import argument

from catalogue.ranking import OrderField, Ranking
from catalogue.selection import Criteria, Filter, select
from catalogue.view import ModelView
from catalogue.vocabulary import Capability, ModelStatus
from resolvers.context import Info
from resolvers.paging import page_info, span, write_cursor
from schema.arguments import After, Before, Capabilities, First, Last, Limit, Offset, Providers, Statuses, bounded
from schema.connection import ModelConnection, ModelEdge
from schema.declaration import resolved
from schema.inputs import ModelFilter, ModelOrder
from schema.model import Model
from schema.policy import Known, Policy, Reads

Search = Annotated[
    str | None,
    argument("Only models with all of these words in their name, id or lab. Up to 10 words and 200 characters."),
]
Wanted = Annotated[ModelFilter | None, argument("Only models that meet all of these conditions.")]
Order = Annotated[ModelOrder | None, argument("The order of the models. Null means by name, then id.")]
ModelId = Annotated[strawberry.ID, argument("The model's id, such as `openrouter/openai/gpt-4o`.")]

_FILTERED = {"filter": Reads.HEALTH}
"""A filter may name sources, and a source is LIVE once a check has confirmed its list."""


@resolved(
    list[Model],
    Policy(Reads.REVISION, rows=Known.MODELS, slicing=("limit",), searches=Known.MODELS, reads_with=_FILTERED),
)
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
    """The models that match all arguments."""
    start, size = bounded("offset", offset) or 0, bounded("limit", limit)
    snapshot = (await info.context.overlay()).snapshot
    criteria = _criteria(provider, capability, status, search, filter)
    most = None if size is None else start + size
    return snapshot.views(select(snapshot, criteria, _ranking(order_by, criteria), most=most)[start:])


@resolved(
    ModelConnection,
    Policy(
        Reads.REVISION,
        rows=Known.MODELS,
        slicing=("first", "last"),
        sized_fields=("edges", "nodes"),
        searches=Known.MODELS,
        reads_with=_FILTERED,
    ),
)
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
    """The models that match all arguments, as a Relay connection. Returns the first 100 by default."""
    snapshot = (await info.context.overlay()).snapshot
    criteria = _criteria(provider, capability, status, search, filter)
    ranking = _ranking(order_by, criteria)
    rows = select(snapshot, criteria, ranking)
    start, stop = span(rows, ranking, snapshot.revision, first=first, after=after, last=last, before=before)
    page = rows[start:stop]
    nodes = snapshot.views(page)
    cursors = [write_cursor(ranking, row, snapshot.revision) for row in page]
    return ModelConnection(
        edges=[ModelEdge(cursor=c, node=n) for c, n in zip(cursors, nodes, strict=True)],
        nodes=nodes,
        page_info=page_info(cursors, previous=start > 0, following=stop < len(rows)),
        total_count=len(rows),
    )


@resolved(Model | None, Policy(Reads.REVISION))
async def model(info: Info, id: ModelId) -> ModelView | None:  # noqa: A002 - the argument's name in the contract
    """The model with this id. Null if there is none."""
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

"""A page of models as Relay's connections have it."""

from collections.abc import Sequence

import strawberry

from catalogue.view import ModelView
from schema.model import Model
from schema.policy import Reads, default_reads


@default_reads(Reads.NOTHING)
@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Relay's page information."""

    has_next_page: bool = strawberry.field(description="Whether entries follow this page.")
    has_previous_page: bool = strawberry.field(description="Whether entries precede this page.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first entry; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last entry; null on an empty page.")


@default_reads(Reads.REVISION)
@strawberry.type(description="A model with its position in the list.")
class ModelEdge:
    """Relay's edge."""

    cursor: str = strawberry.field(description="The position of this model in the list.")
    node: ModelView = strawberry.field(graphql_type=Model, description="The model.")


@default_reads(Reads.REVISION)
@strawberry.type(description="A page of a list of models.")
class ModelConnection:
    """Relay's connection."""

    edges: list[ModelEdge] = strawberry.field(description="The models of this page with their positions.")
    nodes: Sequence[ModelView] = strawberry.field(graphql_type=list[Model], description="The models of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")
    total_count: int = strawberry.field(description="How many models the whole list has.")

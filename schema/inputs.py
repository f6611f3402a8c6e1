"""What a caller may send: the filter and the order of models."""

from typing import Annotated

import strawberry

from catalogue.ranking import Direction, OrderField
from catalogue.selection import Filter


@strawberry.pydantic.input(name="ModelFilter", description=Filter.__doc__)
class ModelFilter(Filter):
    """The catalogue's filter as a GraphQL input."""


@strawberry.input(description="The order of a list of models; missing values come last in both directions.")
class ModelOrder:
    """The catalogue's ranking as a GraphQL input."""

    field: OrderField = strawberry.field(description="What the models are sorted by; the id breaks every tie.")
    direction: Annotated[Direction, strawberry.argument()] = strawberry.field(
        default=Direction.ASC, description="Whether small values come first; with RELEVANCE, ASC puts the best first."
    )

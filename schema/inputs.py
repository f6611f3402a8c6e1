"""The filter and the order of a list of models."""

from typing import Annotated

import strawberry

from catalogue.ranking import Direction, OrderField
from catalogue.selection import Filter


@strawberry.pydantic.input(name="ModelFilter", description=Filter.__doc__)
class ModelFilter(Filter):
    """The catalogue's filter as a GraphQL input."""


@strawberry.input(description="The order of a list of models. Models without the value come last in both directions.")
class ModelOrder:
    """The catalogue's ranking as a GraphQL input."""

    field: OrderField = strawberry.field(description="The value to sort by. Models with equal values are sorted by id.")
    direction: Annotated[Direction, strawberry.argument()] = strawberry.field(
        default=Direction.ASC, description="The direction. With RELEVANCE, ASC puts the best matches first."
    )

"""The GraphQL schema, built from the types and the tables of root fields."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from resolvers.mutation import Mutation
from resolvers.query import Query
from resolvers.subscription import Subscription
from schema.change import KINDS
from schema.scalars import SCALARS


def build_schema() -> strawberry.Schema:
    """Build the schema; its SDL is kept in `schema/schema.graphql`."""
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=KINDS,
        config=StrawberryConfig(scalar_map=SCALARS),
    )

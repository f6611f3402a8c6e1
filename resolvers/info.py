"""What every resolver gets from GraphQL: the request's context, typed."""

import strawberry

from resolvers.context import Context

Info = strawberry.Info[Context, object]

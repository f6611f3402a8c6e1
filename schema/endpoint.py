"""The places at which a provider serves a model."""

from datetime import datetime
from typing import Any, ClassVar

import strawberry

from catalogue import endpoint
from catalogue.facts import Price
from catalogue.vocabulary import EndpointState
from schema.pricing import Pricing


def _pricing(root: strawberry.Parent[endpoint.Endpoint]) -> Price | None:
    return root.price


@strawberry.pydantic.type(description="One place at which a model is served.")
class Endpoint(endpoint.Endpoint):
    """An endpoint with its price under the contract's name."""

    price: strawberry.Private[Price | None]
    pricing: ClassVar[Any] = strawberry.pydantic.field(
        _pricing, graphql_type=Pricing | None, description="What it costs here; null when unpublished."
    )


@strawberry.type(description="A model's endpoints, or why there are none to show.")
class EndpointList:
    """An `EndpointList` of the catalogue."""

    state: EndpointState = strawberry.field(description="Whether the endpoints are known.")
    items: list[Endpoint] = strawberry.field(description="The endpoints, in the provider's order.")
    as_of: datetime | None = strawberry.field(description="When they were read.")

"""The places at which a provider serves a model."""

from datetime import datetime

import strawberry

from catalogue import endpoint
from catalogue.facts import Price
from catalogue.vocabulary import EndpointState, HealthStatus
from schema.policy import FEW, POLICY, Policy, Reads, default_reads
from schema.pricing import Pricing


def _pricing(root: strawberry.Parent[endpoint.Endpoint]) -> Price | None:
    return root.price


@default_reads(Reads.ON_DEMAND)
@strawberry.type(description="One place at which a model is served.")
class Endpoint:
    """An `Endpoint` of the catalogue."""

    name: str = strawberry.field(description="The name of the place, unique in its list.")
    status: HealthStatus = strawberry.field(description="How it answers, by the provider's word.")
    uptime_30m: float | None = strawberry.field(description="Share of the last 30 minutes in which it answered, 0..1.")
    uptime_1d: float | None = strawberry.field(description="Share of the last day in which it answered, 0..1.")
    context_max: int | None = strawberry.field(
        description="The most tokens that prompt and answer can have together here."
    )
    output_max: int | None = strawberry.field(description="The most tokens that an answer can have here.")
    quantization: str | None = strawberry.field(
        description="The number format of the weights, such as fp8, where published."
    )
    latency_ms_p50: float | None = strawberry.field(description="Median time to the first token, in milliseconds.")
    throughput_p50: float | None = strawberry.field(description="Median tokens per second.")
    pricing = strawberry.field(
        resolver=_pricing, graphql_type=Pricing | None, description="What it costs here; null when unpublished."
    )


@default_reads(Reads.ON_DEMAND)
@strawberry.type(description="A model's endpoints, or why there are none to show.")
class EndpointList:
    """An `EndpointList` of the catalogue."""

    state: EndpointState = strawberry.field(description="Whether the endpoints are known.")
    items: list[Endpoint] = strawberry.field(
        description="The endpoints, in the provider's order.", metadata={POLICY: Policy(Reads.ON_DEMAND, rows=FEW)}
    )
    as_of: datetime | None = strawberry.field(description="When they were read.")

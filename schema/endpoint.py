"""The endpoints at which a provider serves a model."""

from datetime import datetime

from catalogue.vocabulary import EndpointState, HealthStatus
from schema.declaration import attribute, field, output
from schema.policy import FEW, Policy, Reads
from schema.pricing import Pricing


@output(Reads.ON_DEMAND)
class Endpoint:
    """One of the endpoints that serve a model, as published by the provider."""

    name: str = field("The name of the endpoint, unique in its list.")
    status: HealthStatus = field("The health of the endpoint.")
    uptime_30m: float | None = field("The uptime of the last 30 minutes, from 0 to 1. Null if unpublished.")
    uptime_1d: float | None = field("The uptime of the last 24 hours, from 0 to 1. Null if unpublished.")
    context_max: int | None = field("The maximum number of prompt and completion tokens. Null if unpublished.")
    output_max: int | None = field("The maximum number of completion tokens. Null if unpublished.")
    quantization: str | None = field("The number format of the weights, such as `fp8`. Null if unpublished.")
    latency_ms_p50: float | None = field("The median time to the first token, in milliseconds. Null if unpublished.")
    throughput_p50: float | None = field("The median throughput, in tokens per second. Null if unpublished.")
    pricing = attribute("price", Pricing | None, "The prices at this endpoint. Null if unpublished.")


@output(Reads.ON_DEMAND)
class EndpointList:
    """The endpoints of a model, and whether they are known."""

    state: EndpointState = field("Whether the endpoints are known.")
    items: list[Endpoint] = field(
        "The endpoints in the provider's order. Empty unless `state` is READY.", Policy(Reads.ON_DEMAND, rows=FEW)
    )
    as_of: datetime | None = field("The time at which the endpoints were read. Null unless `state` is READY.")

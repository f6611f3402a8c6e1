"""The endpoints at which a provider serves a model."""

from dataclasses import dataclass
from datetime import datetime

from catalogue.facts import Price, Record
from catalogue.vocabulary import EndpointState, HealthStatus


class Endpoint(Record):
    """One place at which a model is served."""

    name: str
    """The name of the place, unique in its list."""
    status: HealthStatus
    """Its health according to the provider."""
    uptime_30m: float | None = None
    """Share of the last 30 minutes in which it answered, 0..1."""
    uptime_1d: float | None = None
    """Share of the last day in which it answered, 0..1."""
    context_max: int | None = None
    """The most tokens that prompt and answer can have together here."""
    output_max: int | None = None
    """The most tokens that an answer can have here."""
    quantization: str | None = None
    """The number format of the weights, such as fp8, where published."""
    price: Price | None = None
    """What it costs here."""
    latency_ms_p50: float | None = None
    """Median time to the first token, in milliseconds."""
    throughput_p50: float | None = None
    """Median tokens per second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointList:
    """A model's endpoints, or the reason why they are missing."""

    state: EndpointState
    items: tuple[Endpoint, ...] = ()
    as_of: datetime | None = None
    """When they were read."""

"""One AI model as one provider offers it: the provider's facts and the catalogue's conclusions, side by side."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated, Any, ClassVar

import strawberry

from catalogue import endpoint, facts, selection
from catalogue.facts import ModelFacts, Price
from catalogue.snapshot import ProviderState
from catalogue.view import ModelView
from catalogue.vocabulary import Capability, DataSource, HealthStatus, ModelStatus
from schema.context import Info
from schema.endpoint import EndpointList
from schema.pricing import Pricing

Root = strawberry.Parent[ModelView]


def _provider(root: Root, info: Info) -> ProviderState:
    return info.context.provider(root.facts.provider_id)


def _capabilities(root: Root) -> list[Capability]:
    return [c for c in Capability if c in root.facts.capabilities]


def _unknown_capabilities(root: Root) -> list[Capability]:
    return list(root.facts.unknown_capabilities)


def _vision(root: Root) -> bool | None:
    return root.facts.vision


def _pricing(root: Root) -> Price | None:
    return root.facts.price


def _rate_limit(root: Root) -> facts.RateLimit | None:
    return root.facts.limits


def _replacement(root: Root, info: Info) -> ModelView | None:
    successor = root.facts.successor
    found = info.context.snapshot.model(f"{root.facts.provider_id}/{successor}") if successor else None
    return found if found and found.facts.id != root.facts.id else None


def _offers(root: Root, info: Info) -> list[ModelView]:
    snapshot = info.context.snapshot
    return [state.view(row, snapshot.judged_at) for state, row in selection.offers(snapshot, root.facts)]


def _endpoints(root: Root, info: Info) -> Awaitable[endpoint.EndpointList]:
    return info.context.endpoints(root.facts.id)


@strawberry.pydantic.type(description="How much a provider lets one caller use a model.")
class RateLimit(facts.RateLimit):
    """The facts' rate limit as a GraphQL type."""


@strawberry.pydantic.type(description="One AI model as one provider offers it.")
class Model(ModelFacts):
    """The facts without what the contract names otherwise, and what a `ModelView` adds; never itself made."""

    id: strawberry.ID
    """Unique: the provider's id, a slash, and the provider's own model id."""
    provider_id: strawberry.Private[str]
    price: strawberry.Private[Price | None]
    limits: strawberry.Private[facts.RateLimit | None]
    capabilities: strawberry.Private[frozenset[Capability]]
    lacking: strawberry.Private[frozenset[Capability]]
    deprecated: strawberry.Private[bool]
    successor: strawberry.Private[str | None]
    family: strawberry.Private[str | None]

    status: ModelStatus
    """Whether it can be used now."""
    error_message: str | None
    """Why the status is not AVAILABLE, in words for a person."""
    last_checked: datetime
    """When the provider was last asked, successfully or not."""
    provider_health: HealthStatus
    """How the provider answers."""
    first_seen_at: datetime
    """When the catalogue first saw the provider list it."""
    source: DataSource
    """Where its data comes from."""
    source_as_of: datetime
    """When the data is from."""

    provider: ClassVar[Any] = strawberry.pydantic.field(
        _provider,
        graphql_type=Annotated["Provider", strawberry.lazy("schema.provider")],  # noqa: F821 - the two types know each other
        description="The provider that offers it.",
    )
    known_capabilities: ClassVar[Any] = strawberry.pydantic.field(
        _capabilities,
        name="capabilities",
        description="What it is known to be able to do; what it is known not to do is in neither list.",
    )
    not_said: ClassVar[Any] = strawberry.pydantic.field(
        _unknown_capabilities,
        name="unknownCapabilities",
        description="The capabilities of which the provider says neither yes nor no.",
    )
    takes_images: ClassVar[Any] = strawberry.pydantic.field(
        _vision, name="vision", description="Whether it takes images; null when unknown."
    )
    pricing: ClassVar[Any] = strawberry.pydantic.field(
        _pricing, graphql_type=Pricing | None, description="What it costs; null when unpublished, which is not free."
    )
    rate_limit: ClassVar[Any] = strawberry.pydantic.field(
        _rate_limit,
        graphql_type=RateLimit | None,
        description="How much one caller may use it, where the provider says so.",
    )
    replacement: ClassVar[Any] = strawberry.pydantic.field(
        _replacement,
        graphql_type=Annotated["Model", strawberry.lazy("schema.model")] | None,
        description="The model that its provider names as successor, or that this alias stands for.",
    )
    offers: ClassVar[Any] = strawberry.pydantic.field(
        _offers,
        graphql_type=list[Annotated["Model", strawberry.lazy("schema.model")]],
        description="The same underlying model elsewhere, this one left out.",
    )
    endpoints: ClassVar[Any] = strawberry.pydantic.field(
        _endpoints,
        graphql_type=EndpointList,
        description="Where the provider serves it, read on demand for at most 20 models a request.",
    )

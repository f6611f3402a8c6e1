"""One AI model as one provider offers it: the provider's facts and the catalogue's conclusions, side by side."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated

import strawberry

from catalogue import endpoint, facts, selection
from catalogue.facts import Price
from catalogue.snapshot import ProviderState
from catalogue.view import ModelView
from catalogue.vocabulary import Capability, DataSource, HealthStatus, Modality, ModelStatus
from schema.context import Info
from schema.endpoint import EndpointList
from schema.policy import FEW, POLICY, Policy, Reads, default_reads
from schema.pricing import Pricing

Root = strawberry.Parent[ModelView]


def _provider(root: Root, info: Info) -> ProviderState:
    return info.context.provider(root.facts.provider_id)


def _capabilities(root: Root) -> list[Capability]:
    return [c for c in Capability if c in root.facts.capabilities]


def _unknown_capabilities(root: Root) -> list[Capability]:
    return list(root.facts.unknown_capabilities)


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


@default_reads(Reads.REVISION)
@strawberry.type(description="How much a provider lets one caller use a model.")
class RateLimit:
    """A `RateLimit` of the facts."""

    requests_per_minute: int | None = strawberry.field(description="Requests per minute.")
    tokens_per_minute: int | None = strawberry.field(description="Tokens per minute.")


@default_reads(Reads.REVISION)
@strawberry.type(description="One AI model as one provider offers it.")
class Model:
    """A `ModelView` of the catalogue."""

    id: strawberry.ID = strawberry.field(
        description="Unique: the provider's id, a slash, and the provider's own model id."
    )
    name: str = strawberry.field(description="A label for people; the model id where the provider gives none.")
    description: str | None = strawberry.field(
        description="The provider's own words about it.", metadata={POLICY: Policy(Reads.REVISION, weight=1)}
    )
    input_modalities: list[Modality] = strawberry.field(
        description="The forms of data it takes, only those that the provider states; "
        "a form that is missing may be unstated."
    )
    output_modalities: list[Modality] = strawberry.field(
        description="The forms of data it gives, only those that the provider states; "
        "a form that is missing may be unstated."
    )
    premium: bool | None = strawberry.field(description="Whether using it costs money; null when the price is unknown.")
    context_max: int | None = strawberry.field(description="The most tokens that prompt and answer can have together.")
    output_max: int | None = strawberry.field(description="The most tokens that an answer can have.")
    api_version: str | None = strawberry.field(
        description="The version of the model's API, where the provider names one."
    )
    lab: str | None = strawberry.field(description="Who made the model, where known.")
    knowledge_cutoff: str | None = strawberry.field(
        description="Until when its training data reaches, as published: YYYY, YYYY-MM or YYYY-MM-DD."
    )
    open_weights: bool | None = strawberry.field(description="Whether its weights are published.")
    released_at: datetime | None = strawberry.field(description="When it was released at this provider.")
    expires_at: datetime | None = strawberry.field(
        description="When the provider has announced to end it; a date without a time is the end of that UTC day."
    )
    status: ModelStatus = strawberry.field(description="Whether it can be used now.")
    error_message: str | None = strawberry.field(
        description="Why the status is not AVAILABLE, in words for a person.",
        metadata={POLICY: Policy(Reads.REVISION | Reads.HEALTH)},
    )
    last_checked: datetime = strawberry.field(
        description="When the provider was last asked, successfully or not.", metadata={POLICY: Policy(Reads.HEALTH)}
    )
    provider_health: HealthStatus = strawberry.field(
        description="How the provider answers.", metadata={POLICY: Policy(Reads.HEALTH)}
    )
    first_seen_at: datetime = strawberry.field(description="When the catalogue first saw the provider list it.")
    source: DataSource = strawberry.field(
        description="Where its data comes from.", metadata={POLICY: Policy(Reads.REVISION | Reads.HEALTH | Reads.CLOCK)}
    )
    source_as_of: datetime = strawberry.field(
        description="When the data is from.", metadata={POLICY: Policy(Reads.REVISION | Reads.HEALTH)}
    )
    provider = strawberry.field(
        resolver=_provider,
        graphql_type=Annotated["Provider", strawberry.lazy("schema.provider")],  # noqa: F821 - the two types know each other
        description="The provider that offers it.",
    )
    capabilities: list[Capability] = strawberry.field(
        resolver=_capabilities,
        description="What it is known to be able to do; what it is known not to do is in neither list.",
    )
    unknown_capabilities: list[Capability] = strawberry.field(
        resolver=_unknown_capabilities,
        description="The capabilities of which the provider says neither yes nor no.",
    )
    vision: bool | None = strawberry.field(description="Whether it takes images; null when unknown.")
    pricing = strawberry.field(
        resolver=_pricing,
        graphql_type=Pricing | None,
        description="What it costs; null when unpublished, which is not free.",
    )
    rate_limit = strawberry.field(
        resolver=_rate_limit,
        graphql_type=RateLimit | None,
        description="How much one caller may use it, where the provider says so.",
    )
    replacement = strawberry.field(
        resolver=_replacement,
        graphql_type=Annotated["Model", strawberry.lazy("schema.model")] | None,
        description="The model that its provider names as successor, or that this alias stands for.",
    )
    offers = strawberry.field(
        resolver=_offers,
        graphql_type=list[Annotated["Model", strawberry.lazy("schema.model")]],
        description="The same underlying model elsewhere, this one left out.",
        metadata={POLICY: Policy(Reads.REVISION, rows=FEW)},
    )
    endpoints = strawberry.field(
        resolver=_endpoints,
        graphql_type=EndpointList,
        description="Where the provider serves it, read on demand for at most 20 models a request.",
        metadata={POLICY: Policy(Reads.ON_DEMAND)},
    )

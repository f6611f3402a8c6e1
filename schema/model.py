"""A model as one provider offers it: the provider's facts, and what the catalogue concludes from them."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated

import strawberry

from catalogue import endpoint, selection
from catalogue.provider import ProviderState
from catalogue.view import ModelView
from catalogue.vocabulary import Capability, DataSource, HealthStatus, Modality, ModelStatus
from schema.context import Info
from schema.declaration import attribute, field, output, resolved
from schema.endpoint import EndpointList
from schema.policy import FEW, Policy, Reads
from schema.pricing import Pricing

Root = strawberry.Parent[ModelView]
_Model = Annotated["Model", strawberry.lazy("schema.model")]


@output(Reads.REVISION)
class RateLimit:
    """The limits that a provider sets on each caller's use of a model."""

    requests_per_minute: int | None = field("The maximum number of requests per minute. Null if unpublished.")
    tokens_per_minute: int | None = field("The maximum number of tokens per minute. Null if unpublished.")


@output(Reads.REVISION)
class Model:
    """An AI model as one provider offers it."""

    id: strawberry.ID = field("The unique id: the provider's id, a slash, and the provider's own id of the model.")
    name: str = field("The display name. The provider's own id of the model if it gives no name.")
    description: str | None = field(
        "The provider's description. Null if there is none.", Policy(Reads.REVISION, weight=1)
    )
    input_modalities: list[Modality] = field(
        "The forms of data that the model accepts. The provider may not state all of them."
    )
    output_modalities: list[Modality] = field(
        "The forms of data that the model generates. The provider may not state all of them."
    )
    premium: bool | None = field("Whether using the model costs money. Null if the price is unknown.")
    context_max: int | None = field("The maximum number of prompt and completion tokens together. Null if unknown.")
    output_max: int | None = field("The maximum number of completion tokens. Null if unknown.")
    api_version: str | None = field("The version of the model's API. Null if the provider states none.")
    lab: str | None = field("The organization that made the model. Null if unknown.")
    knowledge_cutoff: str | None = field(
        "The date of the latest training data: YYYY, YYYY-MM or YYYY-MM-DD, as published. Null if unpublished."
    )
    open_weights: bool | None = field("Whether the model's weights are published. Null if unknown.")
    released_at: datetime | None = field("The time at which the provider released the model. Null if unknown.")
    expires_at: datetime | None = field(
        "The announced end of the model. If only a date is announced, the end of that day in UTC. "
        "Null if no end is announced."
    )
    status: ModelStatus = field("The availability of the model.")
    error_message: str | None = field(
        "An explanation of a status other than AVAILABLE, for display. Null if the model is available.",
        Policy(Reads.REVISION | Reads.HEALTH),
    )
    last_checked: datetime = field(
        "The time of the latest call to the provider, successful or not. Before the first call, equals `sourceAsOf`.",
        Policy(Reads.HEALTH),
    )
    provider_health: HealthStatus = field("The health of the provider.", Policy(Reads.HEALTH))
    first_seen_at: datetime | None = field(
        "The time at which the model appeared in its provider's list. Null if the first list had it already."
    )
    source: DataSource = field("The origin of the data.", Policy(Reads.REVISION | Reads.HEALTH))
    source_as_of: datetime = field(
        "The time at which the provider last returned its list. For packaged data, the date of the package.",
        Policy(Reads.REVISION | Reads.HEALTH),
    )
    vision: bool | None = field("Whether the model accepts images. Null if unknown.")
    unknown_capabilities = attribute(
        "facts.unknown_capabilities",
        list[Capability],
        "The capabilities that the model may or may not have, because the provider does not say.",
    )
    pricing = attribute(
        "facts.price", Pricing | None, "The prices of using the model. Null if unpublished, which does not mean free."
    )
    rate_limit = attribute(
        "facts.limits", RateLimit | None, "The limits on each caller's use of the model. Null if unpublished."
    )

    @resolved(Annotated["Provider", strawberry.lazy("schema.provider")])  # noqa: F821 - the types refer to each other
    @staticmethod
    def provider(root: Root, info: Info) -> ProviderState:
        """The provider that offers the model."""
        return info.context.provider(root.facts.provider_id)

    @resolved(list[Capability])
    @staticmethod
    def capabilities(root: Root) -> list[Capability]:
        """The capabilities that the model has. It lacks those that are neither here nor in `unknownCapabilities`."""
        return [c for c in Capability if c in root.facts.capabilities]

    @resolved(_Model | None)
    @staticmethod
    def replacement(root: Root, info: Info) -> ModelView | None:
        """The successor that the provider names, or the model that an alias stands for. Null if none is known."""
        successor = root.facts.successor
        found = info.context.snapshot.model(f"{root.facts.provider_id}/{successor}") if successor else None
        return found if found and found.facts.id != root.facts.id else None

    @resolved(list[_Model], Policy(Reads.REVISION, rows=FEW))
    @staticmethod
    def offers(root: Root, info: Info) -> list[ModelView]:
        """Other offers of the same underlying model, by this provider or others."""
        snapshot = info.context.snapshot
        return snapshot.views(selection.offers(snapshot, root.facts))

    @resolved(EndpointList, Policy(Reads.ON_DEMAND))
    @staticmethod
    def endpoints(root: Root, info: Info) -> Awaitable[endpoint.EndpointList]:
        """The endpoints that serve the model. They are read on demand, for at most 20 models per request."""
        return info.context.endpoints(root.facts.id)

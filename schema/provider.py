"""A provider of models."""

from collections.abc import Awaitable, Sequence
from datetime import datetime

import strawberry

from catalogue import history
from catalogue.provider import ProviderState
from catalogue.selection import Criteria, select
from catalogue.view import ModelView
from catalogue.vocabulary import KeySource, ProviderErrorCode
from schema.arguments import Capabilities, Limit, Newest, Offset, Statuses, bounded
from schema.context import Info
from schema.declaration import attribute, field, output, resolved
from schema.health import ProviderHealth
from schema.model import Model
from schema.policy import Known, Policy, Reads

Root = strawberry.Parent[ProviderState]


@output(Reads.STORE)
class Incident:
    """A period in which a provider was down."""

    id: strawberry.ID = field("The unique id.")
    started_at: datetime = field("The time at which the provider went down.")
    ended_at: datetime | None = field("The time at which the provider recovered. Null while it is down.")
    code: ProviderErrorCode = field("A machine-readable error code.")
    message: str = field("A description of the problem, for display.")


@output(Reads.REVISION)
class Provider:
    """A service that offers models and publishes a list of them."""

    id: strawberry.ID = field("The unique id, which is also the first part of its models' ids.")
    name = attribute("profile.name", str, "The display name.")
    configured = attribute(
        "profile.configured", bool, "Whether the list can be read: a key is available, or none is needed."
    )
    key_source = attribute("profile.key_source", KeySource, "The owner of the key that the list is read with.")
    model_count: int = field("The number of models in the provider's latest list.")
    website = attribute("profile.website", str | None, "The address of the provider's website. Null if unknown.")

    @resolved(ProviderHealth, Policy(Reads.HEALTH))
    @staticmethod
    def health(root: Root) -> ProviderState:
        """The health of the provider."""
        return root

    @resolved(
        list[Model],
        Policy(Reads.REVISION, rows=Known.MODELS_OF_ONE, slicing=("limit",), searches=Known.MODELS_OF_ONE),
    )
    @staticmethod
    def models(
        root: Root,
        info: Info,
        *,
        capability: Capabilities = None,
        status: Statuses = None,
        limit: Limit = None,
        offset: Offset = 0,
    ) -> list[ModelView]:
        """The provider's models that match all arguments, by name, then id."""
        start, size = bounded("offset", offset) or 0, bounded("limit", limit)
        snapshot = info.context.snapshot
        if root.id not in snapshot.providers:
            return []
        criteria = Criteria(
            providers=frozenset({root.id}), capabilities=frozenset(capability or ()), statuses=frozenset(status or ())
        )
        most = None if size is None else start + size
        return snapshot.views(select(snapshot, criteria, most=most)[start:])

    @resolved(list[Incident], Policy(Reads.STORE, rows=1000, slicing=("first",)))
    @staticmethod
    def incidents(root: Root, info: Info, first: Newest = 20) -> Awaitable[Sequence[history.Incident]]:
        """The periods in which the provider was down, newest first."""
        return info.context.incidents(root.id, bounded("first", first, 1000) or 0)

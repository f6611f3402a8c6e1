"""What happened: an interface, and one type for each kind of change."""

from datetime import datetime
from typing import Any

import strawberry
from graphql import GraphQLResolveInfo
from pydantic.alias_generators import to_camel

from catalogue import change, cursor
from catalogue.facts import Price
from catalogue.snapshot import ProviderState
from catalogue.vocabulary import HealthStatus, ModelStatus
from schema.context import Info
from schema.enums import ChangeKind
from schema.health import HealthView, ProviderHealth
from schema.model import Model
from schema.policy import Reads, default_reads
from schema.pricing import Pricing
from schema.provider import Provider
from schema.scalars import Cursor

_SHOWN_AS = {
    "lacking": "unknownCapabilities",
    "limits": "rateLimit",
    "deprecated": "status",
    "successor": "replacement",
    "family": "offers",
}
"""The fields of Model in which a change of a fact shows, where they are not named like it."""


def _cursor(root: strawberry.Parent[change.ChangeRecord], info: Info) -> Cursor:
    return Cursor(cursor.encode(info.context.snapshot.epoch, root.seq))


def _kind(root: strawberry.Parent[change.Change]) -> ChangeKind:
    return ChangeKind(root.kind)


def _provider(root: strawberry.Parent[change.ChangeRecord], info: Info) -> ProviderState | None:
    return None if root.provider_id is None else info.context.provider(root.provider_id)


def _fields(root: strawberry.Parent[change.DetailsChanged]) -> list[str]:
    return list(dict.fromkeys(_SHOWN_AS.get(fact) or to_camel(fact) for fact in root.fields))


def _health(root: strawberry.Parent[change.ProviderHealthChanged]) -> HealthView:
    return HealthView(root.standing, root.model_count)


def _before(root: strawberry.Parent[change.PriceChanged]) -> Price | None:
    return root.before


def _after(root: strawberry.Parent[change.PriceChanged]) -> Price | None:
    return root.after


@default_reads(Reads.STORE)
@strawberry.interface(description="One change in the catalogue; a model inside it is as of that change.")
class Change:
    """A `ChangeRecord`; each type below is named like the record that it shows."""

    cursor: Cursor = strawberry.field(resolver=_cursor, description="Its position in the log of changes.")
    at: datetime = strawberry.field(description="When the catalogue noticed it.")
    kind: ChangeKind = strawberry.field(resolver=_kind, description="What kind of change it is.")
    provider = strawberry.field(
        resolver=_provider, graphql_type=Provider | None, description="The provider concerned; null on Resync alone."
    )

    @classmethod
    def is_type_of(cls, obj: Any, _info: GraphQLResolveInfo[Any]) -> bool:
        """Whether a record is shown by this type."""
        return type(obj).__name__ == cls.__name__


@default_reads(Reads.STORE)
@strawberry.type(description="A model that its provider newly lists.")
class ModelAdded(Change):
    """Shows the record of the same name."""

    model: Model = strawberry.field(description="The new model.")


@default_reads(Reads.STORE)
@strawberry.type(description="A model gone from two good lists in a row.")
class ModelRemoved(Change):
    """Shows the record of the same name."""

    model: Model = strawberry.field(description="The model as last known.")


@default_reads(Reads.STORE)
@strawberry.type(description="A model whose availability changed.")
class StatusChanged(Change):
    """Shows the record of the same name."""

    model: Model = strawberry.field(description="The model after the change.")
    before: ModelStatus = strawberry.field(description="The status until then.")
    after: ModelStatus = strawberry.field(description="The status from then on.")


@default_reads(Reads.STORE)
@strawberry.type(description="A model whose price changed, appeared or vanished.")
class PriceChanged(Change):
    """Shows the record of the same name."""

    model: Model = strawberry.field(description="The model after the change.")
    before = strawberry.field(
        resolver=_before, graphql_type=Pricing | None, description="The price until then; null when it was unpublished."
    )
    after = strawberry.field(
        resolver=_after, graphql_type=Pricing | None, description="The price from then on; null when it is unpublished."
    )


@default_reads(Reads.STORE)
@strawberry.type(description="A model of which other facts changed.")
class DetailsChanged(Change):
    """Shows the record of the same name."""

    model: Model = strawberry.field(description="The model after the change.")
    fields: list[str] = strawberry.field(
        resolver=_fields, description="The names of the fields of Model in which the change shows."
    )


@default_reads(Reads.STORE)
@strawberry.type(description="An end of a model that was announced, or moved.")
class ExpiryAnnounced(Change):
    """Shows the record of the same name."""

    model: Model = strawberry.field(description="The model after the change.")
    expires_at: datetime = strawberry.field(description="When the model ends.")


@default_reads(Reads.STORE)
@strawberry.type(description="An announced end of a model that was withdrawn.")
class ExpiryWithdrawn(Change):
    """Shows the record of the same name."""

    model: Model = strawberry.field(description="The model after the change.")


@default_reads(Reads.STORE)
@strawberry.type(description="A provider whose health changed.")
class ProviderHealthChanged(Change):
    """Shows the record of the same name."""

    health = strawberry.field(
        resolver=_health, graphql_type=ProviderHealth, description="How the provider answers after the change."
    )
    before: HealthStatus = strawberry.field(description="The status until then.")
    after: HealthStatus = strawberry.field(description="The status from then on.")


@default_reads(Reads.STORE)
@strawberry.type(description="The log cannot tell what happened: read the catalogue anew, then go on from this cursor.")
class Resync(Change):
    """Shows the record of the same name."""

    reason: str = strawberry.field(description="Why the log cannot tell.")


KINDS: tuple[type[Change], ...] = (
    ModelAdded,
    ModelRemoved,
    StatusChanged,
    PriceChanged,
    DetailsChanged,
    ExpiryAnnounced,
    ExpiryWithdrawn,
    ProviderHealthChanged,
    Resync,
)
"""Every type that implements Change, for the schema to know them."""

"""Changes in the catalogue: an interface, and a type for each kind of change."""

from datetime import datetime
from typing import Any

import strawberry
from graphql import GraphQLResolveInfo
from pydantic.alias_generators import to_camel

from catalogue import change
from catalogue.provider import ProviderState
from catalogue.vocabulary import HealthStatus, ModelStatus, StatusCause
from schema.context import Info
from schema.declaration import attribute, field, output, resolved
from schema.enums import ChangeKind
from schema.health import ProviderHealth
from schema.model import Model
from schema.policy import Reads
from schema.pricing import Pricing
from schema.provider import Provider
from schema.scalars import Cursor

_FIELDS = {"lacking": "unknownCapabilities", "limits": "rateLimit", "deprecated": "status", "successor": "replacement"}
"""The fields of `Model` that show facts of another name."""


@output(Reads.STORE, make=strawberry.interface)
class Change:
    """A change in the catalogue. A model within a change is shown as of that change."""

    at: datetime = field("The time at which the catalogue noticed the change.")

    cursor = attribute(
        "position.cursor",
        Cursor,
        "The position of the change in the change log. Pass it as `since` to resume after the change.",
    )

    @resolved(ChangeKind)
    @staticmethod
    def kind(root: strawberry.Parent[change.Change]) -> ChangeKind:
        """The kind of change."""
        return ChangeKind(root.kind)

    @resolved(Provider | None)
    @staticmethod
    def provider(root: strawberry.Parent[change.ChangeRecord], info: Info) -> ProviderState | None:
        """The provider concerned. Null only for `Resync`."""
        return None if root.provider_id is None else info.context.provider(root.provider_id)

    @classmethod
    def is_type_of(cls, obj: Any, _info: GraphQLResolveInfo[Any]) -> bool:
        """Return whether this type shows a record: the one of the same name."""
        return type(obj).__name__ == cls.__name__


@output(Reads.STORE)
class ModelAdded(Change):
    """A model appeared in its provider's list."""

    model: Model = field("The new model.")


@output(Reads.STORE)
class ModelRemoved(Change):
    """A model was removed because two successive lists of its provider did not contain it."""

    model: Model = field("The model as last known.")


@output(Reads.STORE)
class StatusChanged(Change):
    """The status of a model changed."""

    model: Model = field("The model after the change.")
    before: ModelStatus = field("The previous status.")
    after: ModelStatus = field("The new status.")
    cause: StatusCause = field("The cause of the change.")


@output(Reads.STORE)
class PriceChanged(Change):
    """The prices of a model changed."""

    model: Model = field("The model after the change.")
    before: Pricing | None = field("The previous prices. Null if they were unpublished.")
    after: Pricing | None = field("The new prices. Null if they are unpublished.")


@output(Reads.STORE)
class DetailsChanged(Change):
    """Facts about a model changed, other than its status, prices and announced end."""

    model: Model = field("The model after the change.")

    @resolved(list[str])
    @staticmethod
    def fields(root: strawberry.Parent[change.DetailsChanged]) -> list[str]:
        """The names of the fields of `Model` that changed, such as `contextMax`."""
        return list(dict.fromkeys(_FIELDS.get(fact) or to_camel(fact) for fact in root.fields))


@output(Reads.STORE)
class ExpiryAnnounced(Change):
    """The end of a model was announced or moved."""

    model: Model = field("The model after the change.")
    expires_at: datetime = field("The time at which the model ends.")


@output(Reads.STORE)
class ExpiryWithdrawn(Change):
    """The announced end of a model was withdrawn."""

    model: Model = field("The model after the change.")


@output(Reads.STORE)
class ProviderHealthChanged(Change):
    """The health of a provider changed."""

    before: HealthStatus = field("The previous health.")
    after: HealthStatus = field("The new health.")

    @resolved(ProviderHealth)
    @staticmethod
    def health(root: strawberry.Parent[change.ProviderHealthChanged]) -> change.ProviderHealthChanged:
        """The health of the provider after the change, in detail."""
        return root


@output(Reads.STORE)
class Resync(Change):
    """Changes are missing from the stream. Query the catalogue again, then continue from this cursor."""

    reason: str = field("An explanation of why changes are missing, for display.")

    @resolved(Cursor)
    @staticmethod
    async def oldest(info: Info) -> Cursor:
        """The oldest position from which the change log can still be resumed."""
        return Cursor((await info.context.oldest()).cursor)


KINDS = tuple(Change.__subclasses__())
"""The types that implement Change, which the schema cannot find by itself."""

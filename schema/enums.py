"""The enumerations: the catalogue's own, declared once as GraphQL types."""

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from catalogue import ranking
from catalogue.vocabulary import Described


class ChangeKind(Described):
    """The kind of a change. Each kind has a type that implements `Change`."""

    MODEL_ADDED = "MODEL_ADDED", "A model appeared in its provider's list."
    MODEL_REMOVED = "MODEL_REMOVED", "A model was removed because two successive lists did not contain it."
    STATUS_CHANGED = "STATUS_CHANGED", "The status of a model changed."
    PRICE_CHANGED = "PRICE_CHANGED", "The prices of a model changed."
    DETAILS_CHANGED = "DETAILS_CHANGED", "Facts about a model changed, other than its status, prices and announced end."
    EXPIRY_ANNOUNCED = "EXPIRY_ANNOUNCED", "The end of a model was announced or moved."
    EXPIRY_WITHDRAWN = "EXPIRY_WITHDRAWN", "The announced end of a model was withdrawn."
    PROVIDER_HEALTH_CHANGED = "PROVIDER_HEALTH_CHANGED", "The health of a provider changed."
    RESYNC = "RESYNC", "Changes are missing from the stream. See `Resync`."


_NAMES: dict[type[Described], str] = {
    **{kind: kind.__name__ for kind in Described.__subclasses__()},
    ranking.OrderField: "ModelOrderField",
    ranking.Direction: "OrderDirection",
}


def _declare(kind: type[Described], name: str) -> None:
    strawberry.enum(kind, name=name, description=kind.__doc__)
    declared: StrawberryEnumDefinition = kind.__strawberry_definition__  # type: ignore[attr-defined] # set by Strawberry
    for member, value in zip(kind, declared.values, strict=True):
        value.description = member.description


for _kind, _name in _NAMES.items():
    _declare(_kind, _name)

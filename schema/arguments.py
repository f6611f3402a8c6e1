"""Arguments that several fields share."""

from typing import Annotated

import strawberry
from strawberry import argument

from catalogue.errors import BadUserInput
from catalogue.facts import PricingUnit
from catalogue.vocabulary import Capability, ModelStatus, UptimeWindow
from schema.enums import ChangeKind
from schema.scalars import Cursor

Providers = Annotated[
    list[strawberry.ID] | None,
    argument("Only these providers. Null or an empty list means all. An unknown id is an `UNKNOWN_PROVIDER` error."),
]
Capabilities = Annotated[list[Capability] | None, argument("Only models known to have all of these capabilities.")]
Statuses = Annotated[list[ModelStatus] | None, argument("Only models with one of these statuses.")]
Kinds = Annotated[list[ChangeKind] | None, argument("Only these kinds of changes. `Resync` is always included.")]
Since = Annotated[
    Cursor | None, argument("The position in the change log to resume after. Null means only future changes.")
]
Limit = Annotated[int | None, argument("The maximum number of models to return. Null means no limit.")]
Offset = Annotated[int, argument("The number of models to skip.")]
First = Annotated[
    int | None, argument("The number of models to return from the start, up to 1,000. 100 if `last` is null too.")
]
Last = Annotated[int | None, argument("The number of models to return from the end, up to 1,000.")]
After = Annotated[str | None, argument("Only entries after the one with this cursor.")]
Before = Annotated[str | None, argument("Only entries before the one with this cursor.")]
Newest = Annotated[int, argument("The number of entries to return, up to 1,000.")]
Per = Annotated[PricingUnit, argument("The number of tokens that the price is for.")]
Window = Annotated[UptimeWindow, argument("The time window, which ends now.")]
ProviderId = Annotated[strawberry.ID, argument("The provider's id.")]


def bounded(name: str, value: int | None, most: int | None = None) -> int | None:
    """Return a count from an argument; raise BadUserInput if it is negative or greater than `most`."""
    if value is not None and value < 0:
        raise BadUserInput(f"Argument '{name}' must not be negative.")
    if value is not None and most is not None and value > most:
        raise BadUserInput(f"Argument '{name}' must be at most {most}.")
    return value

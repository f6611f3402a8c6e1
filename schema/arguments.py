"""The arguments that several fields share, each described once."""

from typing import Annotated

import strawberry

from catalogue.errors import BadUserInput
from catalogue.price_unit import PricingUnit
from catalogue.vocabulary import Capability, ModelStatus, UptimeWindow
from schema.enums import ChangeKind
from schema.scalars import Cursor

Providers = Annotated[
    list[strawberry.ID] | None,
    strawberry.argument(description="Only of these providers; none or an empty list means all."),
]
Capabilities = Annotated[
    list[Capability] | None,
    strawberry.argument(description="Only models known to have all of these capabilities."),
]
Statuses = Annotated[
    list[ModelStatus] | None,
    strawberry.argument(description="Only models with one of these statuses."),
]
Kinds = Annotated[
    list[ChangeKind] | None,
    strawberry.argument(description="Only changes of these kinds; a Resync always comes through."),
]
Since = Annotated[
    Cursor | None,
    strawberry.argument(description="Begin right after this cursor; without it, with what happens from now on."),
]
Limit = Annotated[int | None, strawberry.argument(description="At most this many; without it, all.")]
Offset = Annotated[int, strawberry.argument(description="Leave out this many from the beginning.")]
First = Annotated[int | None, strawberry.argument(description="At most this many from the beginning, up to 1,000.")]
Last = Annotated[int | None, strawberry.argument(description="At most this many from the end, up to 1,000.")]
After = Annotated[str | None, strawberry.argument(description="Only what follows the entry with this cursor.")]
Before = Annotated[str | None, strawberry.argument(description="Only what precedes the entry with this cursor.")]
Newest = Annotated[int, strawberry.argument(description="At most this many of the newest, up to 1,000.")]
Per = Annotated[PricingUnit, strawberry.argument(description="How many tokens the price is for.")]
Window = Annotated[UptimeWindow, strawberry.argument(description="The span of time, which ends now.")]
ProviderId = Annotated[strawberry.ID, strawberry.argument(description="The provider's id.")]


def bounded(name: str, value: int | None, most: int | None = None) -> int | None:
    """An argument that counts something; BadUserInput when it is negative or more than `most`."""
    if value is not None and value < 0:
        raise BadUserInput(f"Argument '{name}' must not be negative.")
    if value is not None and most is not None and value > most:
        raise BadUserInput(f"Argument '{name}' must be at most {most}.")
    return value

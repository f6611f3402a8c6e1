"""How much of the catalogue a field looks through before it makes a row, said where the field is declared."""

from collections.abc import Mapping
from enum import Enum
from typing import Final

_NAME: Final = "reach"


class Reach(Enum):
    """What a field looks at, however little of it it returns."""

    NOTHING = "nothing"
    """Finds its rows without looking at models."""
    PROVIDER = "provider"
    """Every model of the one provider that it belongs to."""
    CATALOGUE = "catalogue"
    """Every model."""


def reaching(reach: Reach) -> dict[str, Reach]:
    """The metadata of a field that reaches so far."""
    return {_NAME: reach}


def said_reach(metadata: Mapping[object, object]) -> Reach | None:
    """What a field's metadata say of its reach; null where they say nothing."""
    reach = metadata.get(_NAME)
    return reach if isinstance(reach, Reach) else None

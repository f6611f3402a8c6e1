"""Which fields look through models before they make a row, and how many models that are."""

from dataclasses import dataclass
from typing import Any, Final, Self

from graphql import GraphQLField, get_named_type, is_composite_type
from strawberry.schema.schema_converter import GraphQLCoreConverter

from catalogue.snapshot import Snapshot
from schema.reach import Reach, said_reach

_SIZES: Final = frozenset({"limit", "first", "last"})
_FROM_STRAWBERRY: Final = GraphQLCoreConverter.DEFINITION_BACKREF


@dataclass(frozen=True, slots=True)
class CatalogueSize:
    """Numbers of models, ended ones included."""

    models: int
    """Of all providers together."""
    largest: int
    """Of the provider that has most."""

    @classmethod
    def of(cls, snapshot: Snapshot) -> Self:
        """The size of a snapshot."""
        sizes = [len(state.listing.models) for state in snapshot.providers.values()]
        return cls(models=sum(sizes), largest=max(sizes, default=0))

    def within(self, reach: Reach) -> int:
        """How many models a field of this reach looks at, at most."""
        return {Reach.NOTHING: 0, Reach.PROVIDER: self.largest, Reach.CATALOGUE: self.models}[reach]


def reach_of(field: GraphQLField) -> Reach:
    """How far a field reaches; one that cuts a list and does not say is taken to look through everything."""
    if not is_composite_type(get_named_type(field.type)):
        return Reach.NOTHING
    definition: Any = field.extensions.get(_FROM_STRAWBERRY)
    said = said_reach(definition.metadata) if definition is not None else None
    return said or (Reach.NOTHING if _SIZES.isdisjoint(field.args) else Reach.CATALOGUE)

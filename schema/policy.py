"""One policy per field: what it costs, how many rows it has, and what determines its value.

A policy stands where its field is declared, as `metadata={POLICY: Policy(...)}`. A type of plain values names once what
determines them, with `default_reads`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, Flag, auto
from types import MappingProxyType
from typing import Final, TypeVar

from graphql import GraphQLField, get_named_type, get_nullable_type, is_composite_type, is_list_type
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types import get_object_definition

T = TypeVar("T")

POLICY: Final = "policy"
"""The key of a field's metadata under which its policy stands."""
FEW: Final = 5
"""The rows of a list about whose length nothing is known."""
_LEAF, _LEAVES, _OBJECT = 0.1, 0.5, 1.0


class Reads(Flag):
    """What determines a field's value, next to its arguments. The answer to a document depends on the union."""

    NOTHING = 0
    """Nothing besides the object around it."""
    REVISION = auto()
    """Lists and verdicts. For a caller with provider keys, the caller's own lists take the place of the server's."""
    HEALTH = auto()
    """Health of providers, the times of their checks and lists, and quarantine decisions."""
    CLOCK = auto()
    """The time at which the answer is made."""
    CALLER = auto()
    """Who asks. Such an answer is private."""
    STORE = auto()
    """What the store keeps: the log of changes, health history, incidents, the audit log."""
    ON_DEMAND = auto()
    """What a provider is asked because the caller wants to know."""


class Known(Enum):
    """A number that the catalogue knows when an operation is prepared."""

    PROVIDERS = "providers"
    """All providers. A list of this length names each provider once."""
    MODELS = "models"
    """The models of all providers."""
    MODELS_OF_ONE = "models of one provider"
    """The models of one provider; the largest counts."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What execution knows about a field before it runs it."""

    reads: Reads
    weight: float | None = None
    """The cost of one object or value; null means 1 for an object, 0.1 for a leaf and 0.5 for a list of leaves."""
    rows: int | Known | None = None
    """The length of a list of objects, at most; null where the page around the list says it."""
    slicing: tuple[str, ...] = ()
    """Arguments that give a length: a number, or a list with one entry per row. The first one with a value counts."""
    sized_fields: tuple[str, ...] = ()
    """For a page: the names of its lists, which have its rows."""
    searches: Known | None = None
    """The models that it looks at before it returns anything."""
    reads_with: Mapping[str, Reads] = field(default_factory=lambda: MappingProxyType({}))
    """What determines the value besides `reads`, by the argument that brings it in."""


UNSTATED: Final = Policy(Reads.STORE | Reads.ON_DEMAND)
"""Stands in for a missing policy: plain cost, and an answer that must not be kept."""


def default_reads(reads: Reads) -> Callable[[type[T]], type[T]]:
    """Give a policy to those fields of a Strawberry type that state none."""
    policy = Policy(reads)

    def fill(kind: type[T]) -> type[T]:
        for declared in get_object_definition(kind, strict=True).fields:
            declared.metadata = MappingProxyType({POLICY: policy, **declared.metadata})
        return kind

    return fill


def policy_of(field: GraphQLField) -> Policy:
    """The policy of a field."""
    declared = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    policy: Policy = declared.metadata.get(POLICY, UNSTATED) if declared else UNSTATED
    return policy


def weight_of(field: GraphQLField) -> float:
    """The cost of one object or value of a field."""
    stated = policy_of(field).weight
    if stated is not None:
        return stated
    if is_composite_type(get_named_type(field.type)):
        return _OBJECT
    return _LEAVES if is_list_type(get_nullable_type(field.type)) else _LEAF

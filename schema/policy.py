"""One policy per field: its cost, its number of rows, and what its value depends on.

A policy stands in the declaration of its field. A type names once what the fields without a policy depend on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, Flag, auto
from types import MappingProxyType
from typing import Final

from graphql import GraphQLField, get_named_type, get_nullable_type, is_composite_type, is_list_type
from strawberry.schema.schema_converter import GraphQLCoreConverter

POLICY: Final = "policy"
"""The key of the policy in a field's metadata."""
FEW: Final = 5
"""The assumed rows of a list of unknown length."""
_LEAF, _LEAVES, _OBJECT = 0.1, 0.5, 1.0


class Reads(Flag):
    """The sources of a field's value, besides its arguments. A response depends on the union of its fields'."""

    NOTHING = 0
    """Only the parent object."""
    REVISION = auto()
    """Lists and statuses. For a caller with provider keys, the caller's own lists replace the server's."""
    HEALTH = auto()
    """The health of providers, the times of their checks and lists, and quarantine decisions."""
    CLOCK = auto()
    """The current time."""
    CALLER = auto()
    """The caller. The response is private."""
    STORE = auto()
    """The store: the change log, health history, incidents, the audit log."""
    ON_DEMAND = auto()
    """A call to a provider, made for this response."""


class Known(Enum):
    """A number of rows that is known when an operation is prepared."""

    PROVIDERS = "providers"
    """All providers. A list of this length has each provider once."""
    MODELS = "models"
    """The models of all providers."""
    MODELS_OF_ONE = "models of one provider"
    """The models of the largest provider."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The properties of a field that execution needs before it runs the field."""

    reads: Reads
    weight: float | None = None
    """The cost of one object or value. Null means 1 for an object, 0.1 for a leaf and 0.5 for a list of leaves."""
    rows: int | Known | None = None
    """The maximum length of a list of objects. Null for a list in a page, which the page's own policy sizes."""
    slicing: tuple[str, ...] = ()
    """Arguments that set the length: a number, or a list with one entry per row. The first with a value counts."""
    sized_fields: tuple[str, ...] = ()
    """For a page: the names of the lists that contain its rows."""
    searches: Known | None = None
    """The models that the field searches before it returns anything."""
    reads_with: Mapping[str, Reads] = field(default_factory=lambda: MappingProxyType({}))
    """Additional sources of the value, by the argument that adds them."""


UNSTATED: Final = Policy(Reads.STORE | Reads.ON_DEMAND)
"""The policy of a field without one: default cost, and a response that must not be cached."""


def policy_of(field: GraphQLField) -> Policy:
    """Return the policy of a field."""
    declared = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    policy: Policy = declared.metadata.get(POLICY, UNSTATED) if declared else UNSTATED
    return policy


def weight_of(field: GraphQLField) -> float:
    """Return the cost of one object or value of a field."""
    stated = policy_of(field).weight
    if stated is not None:
        return stated
    if is_composite_type(get_named_type(field.type)):
        return _OBJECT
    return _LEAVES if is_list_type(get_nullable_type(field.type)) else _LEAF

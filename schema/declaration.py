"""Declarations of output types and fields: each with its description and policy.

The descriptions of a type and of a field with a resolver are their docstrings.
"""

from collections.abc import Callable
from inspect import getdoc
from operator import attrgetter
from types import MappingProxyType
from typing import Any, TypeVar, dataclass_transform

import strawberry
from strawberry.types import get_object_definition

from schema.policy import POLICY, Policy, Reads

T = TypeVar("T")


def field(description: str, policy: Policy | None = None, *, graphql_type: Any = None) -> Any:
    """A field that reads the attribute of the same name."""
    return strawberry.field(description=description, graphql_type=graphql_type, metadata=_metadata(policy))


def attribute(path: str, graphql_type: Any, description: str, policy: Policy | None = None) -> Any:
    """A field that reads another attribute, such as `facts.price`."""
    read = attrgetter(path)

    def resolver(root: strawberry.Parent[Any]) -> Any:
        return read(root)

    return strawberry.field(
        resolver=resolver, graphql_type=graphql_type, description=description, metadata=_metadata(policy)
    )


def resolved(
    graphql_type: Any, policy: Policy | None = None, *, is_subscription: bool = False
) -> Callable[[Callable[..., object]], Any]:
    """Make a field of the decorated resolver."""

    def declare(resolver: Callable[..., object]) -> Any:
        return strawberry.field(
            resolver=resolver,
            graphql_type=graphql_type,
            description=_text(resolver),
            metadata=_metadata(policy),
            is_subscription=is_subscription,
        )

    return declare


@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
def output(
    reads: Reads, *, name: str | None = None, make: Callable[..., Any] = strawberry.type
) -> Callable[[type[T]], type[T]]:
    """Make an output type of the decorated class; `reads` applies to its fields without a policy."""
    policy = Policy(reads)

    def declare(kind: type[T]) -> type[T]:
        made: type[T] = make(kind, name=name, description=_text(kind))
        for declared in get_object_definition(made, strict=True).fields:
            declared.metadata = MappingProxyType({POLICY: policy, **declared.metadata})
        return made

    return declare


def _metadata(policy: Policy | None) -> dict[object, object]:
    return {POLICY: policy} if policy else {}


def _text(documented: object) -> str:
    """A docstring on one line."""
    return " ".join((getdoc(documented) or "").split())

"""Which fields look through the whole catalogue, however little of it they return."""

from typing import Final

from graphql import GraphQLField, get_named_type

_SCANNED: Final = frozenset({"Model", "ModelConnection"})
_SIZES: Final = frozenset({"limit", "first"})


def scans(field: GraphQLField) -> bool:
    """Whether a field chooses among all models and then cuts the list, which takes its time before any row is made."""
    return get_named_type(field.type).name in _SCANNED and not _SIZES.isdisjoint(field.args)

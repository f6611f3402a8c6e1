"""What an operation would cost to run, computed before it runs and multiplied by the sizes of its lists.

A leaf costs a tenth, a list of leaves a half, an object one, each times the rows of the lists around it. A list has as
many rows as its `limit`, `first`, `last` or `ids` says; without one, as many as the catalogue; and a list that takes no
size, a small constant. A field that chooses among all models costs that search too, whatever it returns; long text
costs what an object does. The cost of a selection set is `fixed + rows * per_row`, where only a connection's `edges`
and `nodes` count per row, so that each fragment is costed once, whatever multiplies it.
"""

import math
from collections.abc import Mapping
from typing import Final, NamedTuple, cast

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)

from execution.document import Document
from execution.limits import LARGEST_COUNT, DocumentLimits
from execution.scan import scans

_LEAF: Final = 1
_OBJECT: Final = 10
"""Costs are counted in tenths, so that sums are exact."""
_INTROSPECTION: Final = {"__schema": 20_000 * _OBJECT, "__type": 1_000 * _OBJECT, "__typename": _LEAF}
_LEAVES: Final = 5
"""What a list of leaves costs: models have some ten capabilities."""
_LONG_TEXTS: Final = frozenset({"description"})
_MODELS_SEARCHED: Final = 20
"""So many models looked at cost as much as one object made."""
_SIZES = ("limit", "first", "last", "ids")


class _Cost(NamedTuple):
    fixed: int = 0
    per_row: int = 0


def cost_of(
    schema: GraphQLSchema,
    document: Document,
    operation: OperationDefinitionNode,
    variables: Mapping[str, object],
    *,
    limits: DocumentLimits,
    catalogue_size: int,
) -> int:
    """Compute the cost of one operation of a valid document with its coerced variables."""
    root = schema.get_root_type(operation.operation)
    if root is None:
        return 0
    walk = _Walk(schema, document, variables, limits, catalogue_size)
    tenths = min(walk.selection_set(operation.selection_set, root).fixed, LARGEST_COUNT * _OBJECT)
    return math.ceil(tenths / _OBJECT)


class _Walk:
    """One pass over one operation."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: Document,
        variables: Mapping[str, object],
        limits: DocumentLimits,
        catalogue_size: int,
    ) -> None:
        self._schema = schema
        self._document = document
        self._variables = variables
        self._limits = limits
        self._longest = min(catalogue_size, limits.rows)
        self._search = _OBJECT + _OBJECT * catalogue_size // _MODELS_SEARCHED
        self._fragments: dict[str, _Cost] = {}

    def selection_set(self, selection_set: SelectionSetNode, parent: GraphQLCompositeType) -> _Cost:
        fixed = per_row = 0
        for selection in selection_set.selections:
            cost = self._selection(selection, parent)
            fixed += cost.fixed
            per_row += cost.per_row
        return _Cost(fixed, per_row)

    def _selection(self, selection: SelectionNode, parent: GraphQLCompositeType) -> _Cost:
        if isinstance(selection, FieldNode):
            return self._field(selection, parent)
        if isinstance(selection, FragmentSpreadNode):
            return self._fragment(selection.name.value)
        inline = cast("InlineFragmentNode", selection)
        condition = inline.type_condition
        return self.selection_set(inline.selection_set, self._type(condition.name.value) if condition else parent)

    def _fragment(self, name: str) -> _Cost:
        if name not in self._fragments:
            fragment = self._document.fragments[name]
            self._fragments[name] = self.selection_set(
                fragment.selection_set, self._type(fragment.type_condition.name.value)
            )
        return self._fragments[name]

    def _type(self, name: str) -> GraphQLCompositeType:
        return cast("GraphQLCompositeType", self._schema.get_type(name))

    def _field(self, node: FieldNode, parent: GraphQLCompositeType) -> _Cost:
        name = node.name.value
        if name in _INTROSPECTION:
            return _Cost(_INTROSPECTION[name])
        field = cast("GraphQLObjectType", parent).fields[name]
        item = get_named_type(field.type)
        if node.selection_set is None or not is_composite_type(item):
            leaf = _LEAVES if is_list_type(get_nullable_type(field.type)) else _LEAF
            return _Cost(_OBJECT if name in _LONG_TEXTS else leaf)
        search = self._search if scans(field) else 0
        inner = self.selection_set(node.selection_set, item)
        if item.name.endswith("Connection"):
            return _Cost(_OBJECT + search + inner.fixed + self._rows(node, field, item) * inner.per_row)
        if not is_list_type(get_nullable_type(field.type)):
            return _Cost(_OBJECT + inner.fixed)
        if parent.name.endswith("Connection"):
            return _Cost(0, _OBJECT + inner.fixed)
        return _Cost(max(search + self._rows(node, field, item) * (_OBJECT + inner.fixed), _OBJECT))

    def _rows(self, node: FieldNode, field: GraphQLField, item: GraphQLNamedType) -> int:
        sized = [name for name in _SIZES if name in field.args]
        if not sized:
            return self._limits.rows_by_type.get(item.name, self._limits.other_rows)
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        for name in sized:
            size = self._size(given[name]) if name in given else field.args[name].default_value
            if isinstance(size, int):
                return min(max(size, 0), self._longest)
        return self._longest

    def _size(self, value: ValueNode) -> int | None:
        """Read the size that an argument says, a list of ids by its length; None where it says none."""
        if isinstance(value, IntValueNode):
            return int(value.value)
        if isinstance(value, ListValueNode):
            return len(value.values)
        said = self._variables.get(value.name.value, Undefined) if isinstance(value, VariableNode) else None
        if isinstance(said, list):
            return len(said)
        return said if isinstance(said, int) else None

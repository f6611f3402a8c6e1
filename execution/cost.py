"""What an operation would cost to run, computed before it runs and multiplied by the sizes of its lists.

A leaf costs a tenth, a list of leaves a half, an object one, each times the rows of the lists around it. A list has as
many rows as its `limit`, `first`, `last` or `ids` says; without one, as many as the catalogue, or a provider's part of
it; and a list that takes no size, a small constant. A field that chooses among models costs that search too, whatever
it returns, by the number of models that it looks at; long text costs what an object does.

The cost of a selection set is `fixed + rows * per_row`, where only a connection's `edges` and `nodes` count per row, so
that each fragment is costed once, whatever multiplies it. A list of providers names each once, so that to ask them all
for their models costs no more than to ask for all models.
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
from execution.search import CatalogueSize, reach_of
from schema.reach import Reach

_LEAF: Final = 1
_OBJECT: Final = 10
"""Costs are counted in tenths, so that sums are exact."""
_INTROSPECTION: Final = {"__schema": 20_000 * _OBJECT, "__type": 1_000 * _OBJECT, "__typename": _LEAF}
_LEAVES: Final = 5
"""What a list of leaves costs: models have some ten capabilities."""
_DEAR_LEAVES: Final = frozenset({"description", "uptime"})
"""Long texts, and what is worked out from a history, take ten times as long as another leaf."""
_MODELS_SEARCHED: Final = 20
"""So many models looked at cost as much as one object made."""
_SIZES: Final = ("limit", "first", "last", "ids")


class _Cost(NamedTuple):
    fixed: int = 0
    per_row: int = 0
    """What is paid for each row of the connection around it."""
    part: int = 0
    """What is paid for one provider's part of the catalogue, on top of what is fixed."""
    whole: int = 0
    """What the parts of all providers cost at most together: no two share a model."""

    @property
    def alone(self) -> int:
        """What is paid for one of the things whose fields these are."""
        return self.fixed + self.part


def cost_of(
    schema: GraphQLSchema,
    document: Document,
    operation: OperationDefinitionNode,
    variables: Mapping[str, object],
    *,
    limits: DocumentLimits,
    catalogue: CatalogueSize,
) -> int:
    """Compute the cost of one operation of a valid document with its coerced variables."""
    root = schema.get_root_type(operation.operation)
    if root is None:
        return 0
    walk = _Walk(schema, document, variables, limits, catalogue)
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
        catalogue: CatalogueSize,
    ) -> None:
        self._schema = schema
        self._document = document
        self._variables = variables
        self._limits = limits
        self._catalogue = catalogue
        self._fragments: dict[str, _Cost] = {}

    def selection_set(self, selection_set: SelectionSetNode, parent: GraphQLCompositeType) -> _Cost:
        costs = [self._selection(selection, parent) for selection in selection_set.selections]
        return _Cost(*map(sum, zip(*costs, strict=True)))

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
            return _Cost(_OBJECT if name in _DEAR_LEAVES else leaf)
        inner = self.selection_set(node.selection_set, item)
        if not is_list_type(get_nullable_type(field.type)) and not item.name.endswith("Connection"):
            return _Cost(_OBJECT + inner.alone)
        if parent.name.endswith("Connection"):
            return _Cost(per_row=_OBJECT + inner.alone)
        return self._rows_of(node, field, item, inner)

    def _rows_of(self, node: FieldNode, field: GraphQLField, item: GraphQLNamedType, inner: _Cost) -> _Cost:
        reach = reach_of(field)
        rows, search = self._rows(node, field, item, reach), self._search(reach)
        if item.name.endswith("Connection"):
            return _Cost(_OBJECT + search + inner.fixed + rows * inner.per_row)
        if reach is Reach.PROVIDER:
            row, everything = _OBJECT + inner.alone, Reach.CATALOGUE
            whole = self._search(everything) + self._longest(everything) * row
            return _Cost(_OBJECT, part=search + rows * row, whole=whole)
        made = rows * (_OBJECT + inner.fixed) + min(rows * inner.part, inner.whole)
        return _Cost(max(search + made, _OBJECT))

    def _search(self, reach: Reach) -> int:
        looked_at = self._catalogue.within(reach)
        return 0 if reach is Reach.NOTHING else _OBJECT + _OBJECT * looked_at // _MODELS_SEARCHED

    def _longest(self, reach: Reach) -> int:
        """How many rows a field of this reach counts as having at most."""
        return self._limits.rows if reach is Reach.NOTHING else min(self._catalogue.within(reach), self._limits.rows)

    def _rows(self, node: FieldNode, field: GraphQLField, item: GraphQLNamedType, reach: Reach) -> int:
        sized = [name for name in _SIZES if name in field.args]
        if not sized:
            return self._limits.rows_by_type.get(item.name, self._limits.other_rows)
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        for name in sized:
            size = self._size(given[name]) if name in given else field.args[name].default_value
            if isinstance(size, int):
                return min(max(size, 0), self._longest(reach))
        return self._longest(reach)

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

"""Estimates what an operation costs and what its answer depends on, before it runs.

Both follow from the policies of its fields. An object or a leaf costs its weight times the rows of the lists around it.
A field that searches models costs more for every model searched, however few it returns.

The cost of a selection set is `fixed + rows * per_row`, where the lists of a page count per row, so that each fragment
is costed once, whatever multiplies it. A list of providers has each provider once, so that the models of all providers
cost no more than all models.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, cast

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)

from execution.catalogue_size import CatalogueSize
from execution.document import Document
from execution.limits import LARGEST_COUNT, DocumentLimits
from schema.policy import FEW, Known, Policy, Reads, policy_of, weight_of

_UNIT: Final = 10
"""Costs are counted in tenths, so that sums are exact."""
_INTROSPECTION: Final = {"__schema": 20_000 * _UNIT, "__type": 1_000 * _UNIT, "__typename": 1}
_MODELS_SEARCHED: Final = 20
"""The number of models searched that cost as much as one object."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The cost and the dependencies of an operation, estimated before it runs."""

    cost: int
    reads: Reads
    """What the answer depends on, besides the operation's arguments."""
    catalogue: CatalogueSize
    sizes: Mapping[str, int | None]
    """The variables that set sizes of lists, with these sizes."""

    def holds(self, catalogue: CatalogueSize, variables: Mapping[str, object]) -> bool:
        """Whether the estimate is still valid for the operation."""
        return self.catalogue == catalogue and all(
            _length(variables.get(name)) == size for name, size in self.sizes.items()
        )


class _Cost(NamedTuple):
    fixed: int = 0
    per_row: int = 0
    """Cost of each row of the page around it."""
    part: int = 0
    """Cost of one provider's part of the catalogue, besides `fixed`."""
    whole: int = 0
    """Maximum cost of the parts of all providers together, which share no models."""

    @property
    def alone(self) -> int:
        """Cost for a single object with these fields."""
        return self.fixed + self.part


def estimate(
    schema: GraphQLSchema,
    document: Document,
    operation: OperationDefinitionNode,
    variables: Mapping[str, object],
    *,
    limits: DocumentLimits,
    catalogue: CatalogueSize,
) -> Estimate:
    """Estimate an operation of a valid document with its coerced variables."""
    walk = _Walk(schema, document, variables, limits, catalogue)
    root = schema.get_root_type(operation.operation)
    tenths = walk.selection_set(operation.selection_set, root).fixed if root else 0
    cost = math.ceil(min(tenths, LARGEST_COUNT * _UNIT) / _UNIT)
    return Estimate(cost, walk.reads, catalogue, walk.sizes)


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
        self.reads = Reads.NOTHING
        self.sizes: dict[str, int | None] = {}
        self._schema = schema
        self._document = document
        self._variables = variables
        self._limits = limits
        self._catalogue = catalogue
        self._fragments: dict[tuple[str, tuple[str, ...]], _Cost] = {}

    def selection_set(self, node: SelectionSetNode, parent: GraphQLCompositeType, sized: tuple[str, ...] = ()) -> _Cost:
        """The cost of the fields of one object; `sized` are the fields with the rows of the page around them."""
        costs = [self._selection(selection, parent, sized) for selection in node.selections]
        return _Cost(*map(sum, zip(*costs, strict=True)))

    def _selection(self, node: SelectionNode, parent: GraphQLCompositeType, sized: tuple[str, ...]) -> _Cost:
        if isinstance(node, FieldNode):
            return self._field(node, parent, sized)
        if isinstance(node, FragmentSpreadNode):
            return self._fragment(node.name.value, sized)
        inline = cast("InlineFragmentNode", node)
        condition = inline.type_condition
        kind = self._type(condition.name.value) if condition else parent
        return self.selection_set(inline.selection_set, kind, sized)

    def _fragment(self, name: str, sized: tuple[str, ...]) -> _Cost:
        if (name, sized) not in self._fragments:
            fragment = self._document.fragments[name]
            kind = self._type(fragment.type_condition.name.value)
            self._fragments[name, sized] = self.selection_set(fragment.selection_set, kind, sized)
        return self._fragments[name, sized]

    def _type(self, name: str) -> GraphQLCompositeType:
        return cast("GraphQLCompositeType", self._schema.get_type(name))

    def _field(self, node: FieldNode, parent: GraphQLCompositeType, sized: tuple[str, ...]) -> _Cost:
        name = node.name.value
        if name in _INTROSPECTION:
            return _Cost(_INTROSPECTION[name])
        field = cast("GraphQLObjectType", parent).fields[name]
        policy, weight = policy_of(field), round(weight_of(field) * _UNIT)
        self._note_reads(node, policy)
        item = get_named_type(field.type)
        if node.selection_set is None or not is_composite_type(item):
            return _Cost(weight)
        inner = self.selection_set(node.selection_set, item, policy.sized_fields)
        if name in sized:
            return _Cost(per_row=weight + inner.alone)
        if policy.sized_fields:
            rows = self._rows(node, field, policy)
            return _Cost(weight + self._search(policy.searches) + inner.fixed + rows * inner.per_row)
        if is_list_type(get_nullable_type(field.type)):
            return self._list(policy, self._rows(node, field, policy), weight, inner)
        return _Cost(weight + self._search(policy.searches) + inner.alone)

    def _note_reads(self, node: FieldNode, policy: Policy) -> None:
        self.reads |= policy.reads
        if policy.reads_with:
            for argument in node.arguments or ():
                self.reads |= policy.reads_with.get(argument.name.value, Reads.NOTHING)

    def _list(self, policy: Policy, rows: int, weight: int, inner: _Cost) -> _Cost:
        search, row = self._search(policy.searches), weight + inner.alone
        if policy.rows is Known.MODELS_OF_ONE:
            whole = self._search(Known.MODELS if policy.searches else None) + self._most(Known.MODELS) * row
            return _Cost(_UNIT, part=search + rows * row, whole=whole)
        if policy.rows is Known.PROVIDERS:
            made = rows * (weight + inner.fixed) + min(rows * inner.part, inner.whole)
        else:
            made = rows * row
        return _Cost(max(search + made, _UNIT))

    def _search(self, models: Known | None) -> int:
        return 0 if models is None else _UNIT + _UNIT * self._catalogue.count(models) // _MODELS_SEARCHED

    def _most(self, rows: int | Known | None) -> int:
        """The maximum number of rows."""
        known = self._catalogue.count(rows) if isinstance(rows, Known) else rows
        return min(FEW if known is None else known, self._limits.rows)

    def _rows(self, node: FieldNode, field: GraphQLField, policy: Policy) -> int:
        most = self._most(policy.rows)
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        for name in policy.slicing:
            size = self._size(given[name]) if name in given else _length(field.args[name].default_value)
            if size is not None:
                return min(max(size, 0), most)
        return most

    def _size(self, value: ValueNode) -> int | None:
        """The size that an argument sets, if any."""
        if isinstance(value, IntValueNode):
            return int(value.value)
        if isinstance(value, ListValueNode):
            return len(value.values)
        if not isinstance(value, VariableNode):
            return None
        name = value.name.value
        self.sizes[name] = _length(self._variables.get(name))
        return self.sizes[name]


def _length(value: object) -> int | None:
    if isinstance(value, list):
        return len(value)
    return value if isinstance(value, int) else None

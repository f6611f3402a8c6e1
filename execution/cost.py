"""Estimates what an operation costs and what its answer depends on, before it runs.

Both follow from the policies of its fields. An object or a leaf costs its weight times the rows of the lists around it.
A field that searches models costs more for every model searched, however few it returns.

The cost of a selection set is `fixed + rows * per_row`, where the lists of a page count per row: each fragment is
costed once, whatever multiplies it. The models of all providers in a list cost no more than all models.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
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

from catalogue.ports.reading import Reader
from execution.document import Document
from execution.limits import LARGEST_COUNT, DocumentLimits
from schema.policy import FEW, Known, Policy, Reads, policy_of, weight_of

_UNIT: Final = 10
"""Costs are counted in tenths, so that sums are exact."""
_INTROSPECTION: Final = {"__schema": 20_000 * _UNIT, "__type": 1_000 * _UNIT, "__typename": 1}
_MODELS_SEARCHED: Final = 20
"""The number of models searched that cost as much as one object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueSize:
    """Numbers of providers and models, including retired models, on which costs depend."""

    providers: int
    models: int
    """Models of all providers together."""
    largest: int
    """Models of the provider with the most models."""

    @classmethod
    def of(cls, reader: Reader) -> Self:
        """The size of the catalogue now."""
        sizes = [len(state.listing.models) for state in reader.snapshot.providers.values()]
        return cls(providers=len(sizes), models=sum(sizes), largest=max(sizes, default=0))

    def count(self, known: Known) -> int:
        """The number that a policy refers to."""
        counts = {Known.PROVIDERS: self.providers, Known.MODELS: self.models, Known.MODELS_OF_ONE: self.largest}
        return counts[known]


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
    walk = _Walk(schema, document, variables, catalogue, limits.rows)
    root = schema.get_root_type(operation.operation)
    tenths = walk.selection_set(operation.selection_set, root).fixed if root else 0
    cost = math.ceil(min(tenths, LARGEST_COUNT * _UNIT) / _UNIT)
    return Estimate(cost, walk.reads, catalogue, walk.sizes)


@dataclass(slots=True)
class _Walk:
    """One pass over one operation."""

    schema: GraphQLSchema
    document: Document
    variables: Mapping[str, object]
    catalogue: CatalogueSize
    most_rows: int
    reads: Reads = Reads.NOTHING
    sizes: dict[str, int | None] = field(default_factory=dict)
    fragments: dict[tuple[str, tuple[str, ...]], _Cost] = field(default_factory=dict)

    def selection_set(self, node: SelectionSetNode, parent: GraphQLCompositeType, sized: tuple[str, ...] = ()) -> _Cost:
        """The cost of the fields of one object; `sized` are the fields with the rows of the page around them."""
        costs = [self._selection(selection, parent, sized) for selection in node.selections]
        return _Cost(*map(sum, zip(*costs, strict=True)))

    def _selection(self, node: SelectionNode, parent: GraphQLCompositeType, sized: tuple[str, ...]) -> _Cost:
        if isinstance(node, FieldNode):
            return self._field(node, parent, sized)
        if isinstance(node, InlineFragmentNode):
            return self._fragment(node, parent, sized)
        name = cast("FragmentSpreadNode", node).name.value
        if (name, sized) not in self.fragments:
            self.fragments[name, sized] = self._fragment(self.document.fragments[name], parent, sized)
        return self.fragments[name, sized]

    def _fragment(
        self, node: InlineFragmentNode | FragmentDefinitionNode, parent: GraphQLCompositeType, sized: tuple[str, ...]
    ) -> _Cost:
        condition = node.type_condition
        kind = cast("GraphQLCompositeType", self.schema.get_type(condition.name.value)) if condition else parent
        return self.selection_set(node.selection_set, kind, sized)

    def _field(self, node: FieldNode, parent: GraphQLCompositeType, sized: tuple[str, ...]) -> _Cost:
        name = node.name.value
        if name in _INTROSPECTION:
            return _Cost(_INTROSPECTION[name])
        field = cast("GraphQLObjectType", parent).fields[name]
        policy, weight = policy_of(field), round(weight_of(field) * _UNIT)
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        self.reads |= policy.reads
        for argument in given.keys() & policy.reads_with:
            self.reads |= policy.reads_with[argument]
        item = get_named_type(field.type)
        if node.selection_set is None or not is_composite_type(item):
            return _Cost(weight)
        inner = self.selection_set(node.selection_set, item, policy.sized_fields)
        if name in sized:
            return _Cost(per_row=weight + inner.alone)
        if policy.sized_fields:
            rows = self._rows(given, field, policy)
            return _Cost(weight + self._search(policy.searches) + inner.fixed + rows * inner.per_row)
        if is_list_type(get_nullable_type(field.type)):
            return self._list(policy, self._rows(given, field, policy), weight, inner)
        return _Cost(weight + self._search(policy.searches) + inner.alone)

    def _list(self, policy: Policy, rows: int, weight: int, inner: _Cost) -> _Cost:
        search, row = self._search(policy.searches), weight + inner.alone
        if policy.rows is Known.MODELS_OF_ONE:
            whole = self._search(Known.MODELS if policy.searches else None)
            whole += min(self.catalogue.count(Known.MODELS), self.most_rows) * row
            return _Cost(_UNIT, part=search + rows * row, whole=whole)
        if policy.rows is Known.PROVIDERS:
            made = rows * (weight + inner.fixed) + min(rows * inner.part, inner.whole)
        else:
            made = rows * row
        return _Cost(max(search + made, _UNIT))

    def _search(self, models: Known | None) -> int:
        return 0 if models is None else _UNIT + _UNIT * self.catalogue.count(models) // _MODELS_SEARCHED

    def _rows(self, given: Mapping[str, ValueNode], field: GraphQLField, policy: Policy) -> int:
        """The maximum number of rows of a field with these arguments."""
        known = self.catalogue.count(policy.rows) if isinstance(policy.rows, Known) else policy.rows
        most = min(FEW if known is None else known, self.most_rows)
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
        self.sizes[name] = _length(self.variables.get(name))
        return self.sizes[name]


def _length(value: object) -> int | None:
    if isinstance(value, list):
        return len(value)
    return value if isinstance(value, int) else None

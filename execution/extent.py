"""The extent of a document, measured before validation and in linear time.

Each fragment is measured once, where Strawberry's limiters walk every spread again. graphql-core's rule about
overlapping fields compares every pair of equal fields; a document with too many pairs never reaches validation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from execution.errors import DocumentTooLarge
from execution.limits import LARGEST_COUNT, DocumentLimits

Fragments = Mapping[str, FragmentDefinitionNode]


class _Extent(NamedTuple):
    """The extent of a selection set with all fragment spreads expanded."""

    selections: int = 0
    fields: int = 0
    """Fields of its own level."""
    depth: int = 0


def check_extent(document: DocumentNode, fragments: Fragments, limits: DocumentLimits) -> None:
    """Check that a document is small enough to be validated and run.

    Raises:
        DocumentTooLarge: a count exceeds its limit.
        GraphQLError: a fragment spreads itself, directly or through others.
    """
    kinds = (OperationDefinitionNode, FragmentDefinitionNode)
    definitions = [definition for definition in document.definitions if isinstance(definition, kinds)]
    aliases, directives = _counts(definitions)
    _at_most("aliases", aliases, limits.aliases)
    _at_most("directives", directives, limits.directives)
    measure = _Measure(fragments)
    try:
        extents = [measure.extent(definition.selection_set) for definition in definitions]
    except RecursionError:
        raise DocumentTooLarge("depth", None, limits.depth) from None
    _at_most("selections", sum(extent.selections for extent in extents), limits.selections)
    for definition, extent in zip(definitions, extents, strict=True):
        _at_most("depth", extent.depth, limits.depth)
        if isinstance(definition, OperationDefinitionNode):
            _at_most("root fields", extent.fields, limits.root_fields)
    _at_most("merged fields", sum(_pairs(each.selection_set, fragments) for each in definitions), limits.merges)


def _at_most(what: str, count: int, limit: int) -> None:
    if count > limit:
        raise DocumentTooLarge(what, min(count, LARGEST_COUNT), limit)


def _counts(definitions: Sequence[OperationDefinitionNode | FragmentDefinitionNode]) -> tuple[int, int]:
    """Count aliases and directives as written, without recursion since the nesting is not yet limited."""
    aliases = directives = 0
    for definition in definitions:
        pending = [definition.selection_set]
        directives += sum(len(node.directives or ()) for node in (definition, *(definition.variable_definitions or ())))
        while pending:
            for selection in pending.pop().selections:
                directives += len(selection.directives or ())
                if isinstance(selection, FieldNode):
                    aliases += selection.alias is not None
                if isinstance(selection, FieldNode | InlineFragmentNode) and selection.selection_set:
                    pending.append(selection.selection_set)
    return aliases, directives


@dataclass(slots=True)
class _Measure:
    """Measures selection sets; each fragment is measured once."""

    fragments: Fragments
    known: dict[str, _Extent | None] = field(default_factory=dict)

    def extent(self, selection_set: SelectionSetNode) -> _Extent:
        selections = fields = depth = 0
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                inner = self.extent(selection.selection_set) if selection.selection_set else _Extent()
                fields += 1
                depth = max(depth, inner.depth + 1)
            else:
                inner = (
                    self._fragment(selection)
                    if isinstance(selection, FragmentSpreadNode)
                    else self.extent(selection.selection_set)  # type: ignore[attr-defined]
                )
                fields += inner.fields
                depth = max(depth, inner.depth)
            selections += inner.selections + 1
        return _Extent(selections, fields, depth)

    def _fragment(self, spread: FragmentSpreadNode) -> _Extent:
        name = spread.name.value
        if name not in self.fragments:
            return _Extent()
        if name not in self.known:
            self.known[name] = None
            self.known[name] = self.extent(self.fragments[name].selection_set)
        known = self.known[name]
        if known is None:
            raise GraphQLError(f"Cannot spread fragment '{name}' within itself.", spread)
        return known


def _pairs(root: SelectionSetNode, fragments: Fragments) -> int:
    """Count the pairs of fields with the same response path, which validation compares."""
    pairs = 0
    paths = [[root]]
    while paths:
        groups: dict[str, list[FieldNode]] = {}
        pending = paths.pop()
        while pending:
            for selection in pending.pop().selections:
                if isinstance(selection, FieldNode):
                    groups.setdefault((selection.alias or selection.name).value, []).append(selection)
                elif isinstance(selection, InlineFragmentNode):
                    pending.append(selection.selection_set)
                elif isinstance(selection, FragmentSpreadNode) and selection.name.value in fragments:
                    pending.append(fragments[selection.name.value].selection_set)
        for same in groups.values():
            pairs += len(same) * (len(same) - 1) // 2
            if inner := [field.selection_set for field in same if field.selection_set]:
                paths.append(inner)
    return pairs

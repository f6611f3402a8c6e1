"""The extent of a document, measured before validation and in linear time.

Strawberry's limiters walk every fragment spread again, which doubles with each level of nesting, and graphql-core's
rule about overlapping fields compares every pair of equal fields. Here each fragment is measured once, and a document
with too many expanded fields or pairs never reaches validation.
"""

from collections.abc import Mapping, Sequence
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


class _Text(NamedTuple):
    """Counts over one definition as written, without expanding spreads."""

    aliases: int
    directives: int


def check_extent(document: DocumentNode, fragments: Fragments, limits: DocumentLimits) -> None:
    """Check that a document is small enough to be validated and run.

    Raises:
        DocumentTooLarge: a count exceeds its limit.
        GraphQLError: a fragment spreads itself, directly or through others.
    """
    try:
        _check(document, fragments, limits)
    except RecursionError:
        raise DocumentTooLarge("depth", None, limits.depth) from None


def _check(document: DocumentNode, fragments: Fragments, limits: DocumentLimits) -> None:
    texts = [_text_of(definition) for definition in _definitions(document)]
    _at_most("aliases", sum(text.aliases for text in texts), limits.aliases)
    _at_most("directives", sum(text.directives for text in texts), limits.directives)
    measure = _Measure(fragments)
    extents = {id(definition): measure(definition.selection_set) for definition in _definitions(document)}
    _at_most("selections", sum(extent.selections for extent in extents.values()), limits.selections)
    for definition in _definitions(document):
        extent = extents[id(definition)]
        _at_most("depth", extent.depth, limits.depth)
        if isinstance(definition, OperationDefinitionNode):
            _at_most("root fields", extent.fields, limits.root_fields)
    pairs = sum(_pairs(definition.selection_set, fragments) for definition in _definitions(document))
    _at_most("merged fields", pairs, limits.merges)


def _at_most(what: str, count: int, limit: int) -> None:
    if count > limit:
        raise DocumentTooLarge(what, min(count, LARGEST_COUNT), limit)


def _definitions(document: DocumentNode) -> list[OperationDefinitionNode | FragmentDefinitionNode]:
    kinds = (OperationDefinitionNode, FragmentDefinitionNode)
    return [definition for definition in document.definitions if isinstance(definition, kinds)]


def _text_of(definition: OperationDefinitionNode | FragmentDefinitionNode) -> _Text:
    """Count aliases and directives, without recursion since the nesting is not yet limited."""
    aliases = 0
    directives = len(definition.directives or ())
    for variable in definition.variable_definitions or ():
        directives += len(variable.directives or ())
    pending = [definition.selection_set]
    while pending:
        for selection in pending.pop().selections:
            directives += len(selection.directives or ())
            if isinstance(selection, FieldNode):
                aliases += selection.alias is not None
            if isinstance(selection, FieldNode | InlineFragmentNode) and selection.selection_set:
                pending.append(selection.selection_set)
    return _Text(aliases, directives)


class _Measure:
    """Measures selection sets; each fragment is measured once."""

    def __init__(self, fragments: Fragments) -> None:
        self._fragments = fragments
        self._known: dict[str, _Extent | None] = {}

    def __call__(self, selection_set: SelectionSetNode) -> _Extent:
        selections = fields = depth = 0
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                inner = self(selection.selection_set) if selection.selection_set else _Extent()
                fields += 1
                depth = max(depth, inner.depth + 1)
            else:
                inner = (
                    self._fragment(selection)
                    if isinstance(selection, FragmentSpreadNode)
                    else self(selection.selection_set)  # type: ignore[attr-defined]
                )
                fields += inner.fields
                depth = max(depth, inner.depth)
            selections += inner.selections + 1
        return _Extent(selections, fields, depth)

    def _fragment(self, spread: FragmentSpreadNode) -> _Extent:
        name = spread.name.value
        if name not in self._fragments:
            return _Extent()
        if name not in self._known:
            self._known[name] = None
            self._known[name] = self(self._fragments[name].selection_set)
        known = self._known[name]
        if known is None:
            raise GraphQLError(f"Cannot spread fragment '{name}' within itself.", spread)
        return known


def _pairs(root: SelectionSetNode, fragments: Fragments) -> int:
    """Count the pairs of fields with the same response path, which validation compares."""
    pairs = 0
    pending: list[Sequence[SelectionSetNode]] = [[root]]
    while pending:
        for same in _by_response_name(pending.pop(), fragments).values():
            pairs += len(same) * (len(same) - 1) // 2
            inner = [field.selection_set for field in same if field.selection_set]
            if inner:
                pending.append(inner)
    return pairs


def _by_response_name(selection_sets: Sequence[SelectionSetNode], fragments: Fragments) -> dict[str, list[FieldNode]]:
    groups: dict[str, list[FieldNode]] = {}
    pending = list(selection_sets)
    while pending:
        for selection in pending.pop().selections:
            if isinstance(selection, FieldNode):
                groups.setdefault((selection.alias or selection.name).value, []).append(selection)
            elif isinstance(selection, InlineFragmentNode):
                pending.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value in fragments:
                pending.append(fragments[selection.name.value].selection_set)
    return groups

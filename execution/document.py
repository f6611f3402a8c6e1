"""Documents: parsed, measured and validated once, then cached by their text."""

from dataclasses import dataclass
from operator import attrgetter

from cachetools import LRUCache
from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    TokenKind,
    parse,
    specified_rules,
    validate,
)

from catalogue.errors import BadUserInput
from execution.errors import VALIDATION_FAILED
from execution.extent import check_extent
from execution.limits import DocumentLimits

_LONGEST_NUMBER = 100
"""Characters; Python rejects a number of thousands of digits with a message about Python."""

_SHARES = 4
"""A document larger than 1/4 of the cache is not cached: a long comment would push out all others."""


class InvalidDocument(Exception):
    """The document or its variables do not fit the schema; `errors` are graphql-core's, `code` is that of all."""

    def __init__(self, errors: list[GraphQLError], code: str = VALIDATION_FAILED) -> None:
        super().__init__()
        self.errors = errors
        self.code = code


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Document:
    """A valid document within the limits."""

    operations: tuple[OperationDefinitionNode, ...]
    fragments: dict[str, FragmentDefinitionNode]
    weight: float
    """Its share of the cache: the characters of its text, or more if it is short."""

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation with this name or, without a name, the only one.

        Raises:
            BadUserInput: no operation has the name, or there is no name and not exactly one operation.
        """
        if name:
            for operation in self.operations:
                if operation.name and operation.name.value == name:
                    return operation
            raise BadUserInput(f"Unknown operation named {name[:80]!r}.")
        if len(self.operations) != 1:
            raise BadUserInput("Set operationName: the document does not have exactly one operation.")
        return self.operations[0]


class Documents:
    """Parses, validates and caches documents for one schema."""

    def __init__(self, schema: GraphQLSchema, limits: DocumentLimits) -> None:
        self._schema = schema
        self._limits = limits
        self._rules = specified_rules if limits.introspection else (*specified_rules, NoSchemaIntrospectionCustomRule)
        self._read: LRUCache[str, Document] = LRUCache(limits.cached_characters, getsizeof=attrgetter("weight"))

    def knows(self, text: str) -> bool:
        """Whether the document of a text is cached."""
        return text in self._read

    def read(self, text: str) -> Document:
        """Parse, measure and validate a text, or return the cached document.

        Raises:
            GraphQLError: the text is not GraphQL (`GraphQLSyntaxError`), has too many tokens or too long a number, or
                a fragment spreads itself.
            DocumentTooLarge: the document exceeds a limit.
            InvalidDocument: the document does not fit the schema.
        """
        document = self._read.get(text)
        if document is None:
            document = self._validated(text)
            if len(text) <= self._read.maxsize / _SHARES:
                self._read[text] = document
        return document

    def _validated(self, text: str) -> Document:
        limits = self._limits
        ast = parse(text, max_lexical_tokens=limits.tokens, max_comments=limits.tokens, max_source_length=limits.source)
        fragments = {node.name.value: node for node in ast.definitions if isinstance(node, FragmentDefinitionNode)}
        check_extent(ast, fragments, limits)
        _check_numbers(ast)
        errors = validate(
            self._schema, ast, self._rules, max_errors=limits.errors, hide_suggestions=not limits.suggestions
        )
        if errors:
            raise InvalidDocument(errors[: limits.errors])
        operations = tuple(node for node in ast.definitions if isinstance(node, OperationDefinitionNode))
        weight = max(len(text), limits.cached_characters / limits.cached_documents)
        return Document(operations, fragments, weight)


def _check_numbers(ast: DocumentNode) -> None:
    token = ast.loc.start_token if ast.loc else None
    while token:
        if token.kind in {TokenKind.INT, TokenKind.FLOAT} and len(token.value or "") > _LONGEST_NUMBER:
            source = ast.loc.source if ast.loc else None
            message = f"A number has more than {_LONGEST_NUMBER} digits."
            raise GraphQLError(message, source=source, positions=[token.start])
        token = token.next

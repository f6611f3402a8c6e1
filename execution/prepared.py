"""Prepares operations: finds the document, selects the operation, coerces the variables, and checks the cost."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from graphql import (
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    VariableValues,
    get_variable_values,
)

from catalogue.errors import ClientError, QueryTooComplex
from execution.catalogue_size import CatalogueSize
from execution.cost import Estimate, estimate
from execution.document import Document, Documents
from execution.limits import DocumentLimits
from execution.persisted import PersistedDocuments
from execution.request import GraphQLRequest
from execution.values import check_values
from schema.policy import Reads

_WHERE = {
    OperationType.QUERY: "send it by GET or POST",
    OperationType.MUTATION: "send it by POST",
    OperationType.SUBSCRIPTION: "send it by WebSocket, or with Accept: text/event-stream",
}


class KindRefused(ClientError):
    """The transport does not allow this kind of operation."""

    code = "BAD_USER_INPUT"


class WrongVariables(Exception):
    """The variables do not fit their declared types; `errors` are graphql-core's."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__()
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Prepared:
    """An operation that is ready to run: valid, within the limits, with variables of the right types."""

    document: Document
    operation: OperationDefinitionNode
    variables: VariableValues
    """Coerced values, as graphql-core uses them."""
    cost: int
    reads: Reads
    """What the answer depends on."""

    @property
    def private(self) -> bool:
        """Whether the answer is for its caller only."""
        return Reads.CALLER in self.reads

    @property
    def kind(self) -> OperationType:
        """Whether it is a query, a mutation or a subscription."""
        return self.operation.operation


class Preparation:
    """Prepares requests for one schema."""

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        limits: DocumentLimits,
        catalogue_size: Callable[[], CatalogueSize],
        persisted: PersistedDocuments,
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._catalogue_size = catalogue_size
        self._persisted = persisted
        self._documents = Documents(schema, limits)
        self._estimates: WeakKeyDictionary[Document, dict[str | None, Estimate]] = WeakKeyDictionary()

    def knows(self, request: GraphQLRequest) -> bool:
        """Whether the request needs no parsing: its document is cached, or the request has no text."""
        return request.query is None or self._documents.knows(request.query)

    def __call__(self, request: GraphQLRequest, allow: frozenset[OperationType] | None) -> Prepared:
        """Prepare a request; `allow` limits the kinds of operation (null: all).

        Raises:
            GraphQLError: the text is not a document.
            InvalidDocument: the document does not fit the schema.
            WrongVariables: the variables do not fit the operation.
            KindRefused: the transport does not allow this kind of operation.
            ClientError: the document is unknown, not allowed, too large or too expensive, or has no such operation.
        """
        document = self._documents.read(self._persisted.text(request))
        self._persisted.keep(request)
        operation = document.operation(request.operation_name)
        if allow is not None and operation.operation not in allow:
            raise KindRefused(f"A {operation.operation.value} cannot run here; {_WHERE[operation.operation]}.")
        variables = self._coerced(operation, dict(request.variables or {}))
        found = self._estimate(document, operation, variables.coerced)
        if found.cost > self._limits.cost:
            raise QueryTooComplex(found.cost, self._limits.cost)
        return Prepared(document, operation, variables, found.cost, found.reads)

    def _coerced(self, operation: OperationDefinitionNode, variables: dict[str, object]) -> VariableValues:
        check_values(variables, self._limits.values)
        coerced = get_variable_values(
            self._schema,
            operation.variable_definitions or (),
            variables,
            max_errors=self._limits.errors,
            hide_suggestions=not self._limits.suggestions,
        )
        if isinstance(coerced, list):
            raise WrongVariables(coerced[: self._limits.errors])
        return coerced

    def _estimate(
        self, document: Document, operation: OperationDefinitionNode, variables: Mapping[str, object]
    ) -> Estimate:
        """Estimate an operation, or return the last estimate if it is still valid."""
        size, name = self._catalogue_size(), operation.name.value if operation.name else None
        kept = self._estimates.setdefault(document, {})
        found = kept.get(name)
        if found is None or not found.holds(size, variables):
            found = estimate(self._schema, document, operation, variables, limits=self._limits, catalogue=size)
            kept[name] = found
        return found

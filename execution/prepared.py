"""Prepares operations: finds the document, selects the operation, coerces the variables, and checks the cost."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

from graphql import (
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    VariableValues,
    get_variable_values,
)

from catalogue.errors import ClientError, QueryTooComplex
from execution.answer import Answer, Outcome
from execution.cost import CatalogueSize, Estimate, estimate
from execution.document import Document, Documents, InvalidDocument
from execution.errors import (
    BAD_USER_INPUT,
    PARSE_FAILED,
    VALIDATION_FAILED,
    DocumentTooLarge,
    ErrorReporter,
    client_error,
    refuse,
    refuse_document,
)
from execution.limits import DocumentLimits
from execution.persisted import DocumentNotFound, PersistedDocuments
from execution.request import GraphQLRequest
from schema.policy import Reads

_ALL: Final = frozenset(OperationType)
_WHERE: Final = {
    OperationType.QUERY: "send it by GET or POST",
    OperationType.MUTATION: "send it by POST",
    OperationType.SUBSCRIPTION: "send it by WebSocket, or with Accept: text/event-stream",
}


class KindRefused(ClientError):
    """The transport does not allow this kind of operation."""

    code = "BAD_USER_INPUT"


_REFUSALS: Final[Mapping[type[ClientError], Outcome]] = {
    KindRefused: Outcome.REFUSED,
    DocumentNotFound: Outcome.UNKNOWN_DOCUMENT,
}


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
        limits: DocumentLimits,
        catalogue_size: Callable[[], CatalogueSize],
        persisted: PersistedDocuments,
        report: ErrorReporter,
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._catalogue_size = catalogue_size
        self._persisted = persisted
        self._report = report
        self._documents = Documents(schema, limits)
        self._estimates: WeakKeyDictionary[Document, dict[str | None, Estimate]] = WeakKeyDictionary()
        self._parsing = asyncio.Lock()

    async def prepare_in_turn(
        self, request: GraphQLRequest, *, allow: Collection[OperationType] = _ALL
    ) -> Prepared | Answer:
        """Prepare a request; new documents are parsed one at a time, so that known ones can run in between."""
        if request.query is None or self._documents.knows(request.query):
            return self.prepare(request, allow=allow)
        async with self._parsing:
            await asyncio.sleep(0)
            return self.prepare(request, allow=allow)

    def prepare(self, request: GraphQLRequest, *, allow: Collection[OperationType] = _ALL) -> Prepared | Answer:
        """Prepare a request, or return an answer with errors; `allow` limits the kinds of operation."""
        try:
            return self._prepared(request, allow)
        except InvalidDocument as error:
            return refuse_document(error.errors, error.code)
        except GraphQLSyntaxError as error:
            return refuse_document([error], PARSE_FAILED)
        except GraphQLError as error:
            return refuse_document([error], VALIDATION_FAILED)
        except ClientError as error:
            return refuse(_REFUSALS.get(type(error), Outcome.INVALID), error)
        except Exception as error:  # noqa: BLE001 - any other error is the server's fault: reported and masked
            return refuse(Outcome.CRASHED, client_error(error, self._report))

    def _prepared(self, request: GraphQLRequest, allow: Collection[OperationType]) -> Prepared:
        document = self._documents.read(self._persisted.text(request))
        if request.document_hash and request.query:
            self._persisted.keep(request.document_hash, request.query)
        operation = document.operation(request.operation_name)
        if operation.operation not in allow:
            raise KindRefused(f"A {operation.operation.value} cannot run here; {_WHERE[operation.operation]}.")
        variables = self._coerced(operation, request.variables or {})
        size, name = self._catalogue_size(), operation.name.value if operation.name else None
        kept = self._estimates.setdefault(document, {})
        found = kept.get(name)
        if found is None or not found.holds(size, variables.coerced):
            found = estimate(self._schema, document, operation, variables.coerced, limits=self._limits, catalogue=size)
            kept[name] = found
        if found.cost > self._limits.cost:
            raise QueryTooComplex(found.cost, self._limits.cost)
        return Prepared(document, operation, variables, found.cost, found.reads)

    def _coerced(self, operation: OperationDefinitionNode, variables: Mapping[str, object]) -> VariableValues:
        check_values(variables, self._limits.values)
        coerced = get_variable_values(
            self._schema,
            operation.variable_definitions or (),
            dict(variables),
            max_errors=self._limits.errors,
            hide_suggestions=not self._limits.suggestions,
        )
        if isinstance(coerced, list):
            raise InvalidDocument(coerced[: self._limits.errors], BAD_USER_INPUT)
        return coerced


def check_values(variables: Mapping[str, object], limit: int) -> None:
    """Count the values in variables, each of which costs time before the cost is known.

    Raises:
        DocumentTooLarge: there are more than `limit`, including those in lists and objects.
    """
    count, waiting = 0, [iter(variables.values())]
    while waiting:
        for value in waiting[-1]:
            count += 1
            if count > limit:
                raise DocumentTooLarge("values in its variables", None, limit)
            if isinstance(value, Mapping | list):
                waiting.append(iter(value.values() if isinstance(value, Mapping) else value))
                break
        else:
            waiting.pop()

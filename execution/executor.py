"""The seam: every operation of every transport runs through `Executor`."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

import strawberry
from graphql import OperationDefinitionNode, OperationType

from execution.answer import Answer
from execution.document import Document
from execution.limits import DocumentLimits
from execution.persisted import PersistedDocuments
from execution.request import GraphQLRequest

S = TypeVar("S")


@runtime_checkable
class HasPrivate(Protocol):
    """A context that knows whether it gave out something of this caller alone."""

    private: bool


@dataclass(frozen=True, slots=True)
class Prepared:
    """An operation that may run: parsed, valid, within the limits, its variables of the right types."""

    document: Document
    operation: OperationDefinitionNode
    variables: Mapping[str, object]
    cost: int

    @property
    def kind(self) -> OperationType:
        """Whether it is a query, a mutation or a subscription."""
        return self.operation.operation


class Executor(Generic[S]):
    """Runs operations on one schema; `S` is the caller's scope, which only the context factory looks into."""

    def __init__(
        self,
        schema: strawberry.Schema,
        *,
        limits: DocumentLimits,
        context: Callable[[S], object],
        catalogue_size: Callable[[], int],
        report: Callable[[Exception, str], None],
        event_id: Callable[[object], str | None] = lambda _: None,
        persisted: PersistedDocuments | None = None,
    ) -> None: ...

    def prepare(
        self, request: GraphQLRequest, *, allow: frozenset[OperationType] | None = None
    ) -> Prepared | Answer: ...

    async def execute(self, prepared: Prepared, scope: S) -> Answer: ...

    def subscribe(self, prepared: Prepared, scope: S) -> AsyncIterator[Answer]: ...

"""The small schema in an executor, and what the tests of documents, costs and errors look at."""

from collections.abc import Mapping
from typing import Any

import orjson

from execution.answer import Answer
from execution.cost import CatalogueSize
from execution.executor import Executor
from execution.limits import DocumentLimits
from execution.persisted import PersistedDocuments
from execution.request import GraphQLRequest
from tests.small.schema import Context, Source, small_schema


class World:
    """One executor, asked past every transport."""

    def __init__(
        self,
        *,
        limits: DocumentLimits | None = None,
        persisted: PersistedDocuments | None = None,
        catalogue_size: int = 1_000,
    ) -> None:
        self.source = Source()
        self.catalogue_size = catalogue_size
        self.reported: list[tuple[Exception, str]] = []
        self.executor: Executor[str] = Executor(
            small_schema(),
            limits=limits or DocumentLimits(),
            context=lambda caller: Context(caller, self.source),
            catalogue_size=lambda: CatalogueSize(providers=20, models=self.catalogue_size, largest=self.catalogue_size),
            report=self.report,
            event_id=lambda event: f"c{event}",
            persisted=persisted,
        )

    def report(self, error: Exception, error_id: str) -> None:
        self.reported.append((error, error_id))

    async def run(self, query: str, variables: Mapping[str, object] | None = None) -> Any:
        """The decoded result."""
        prepared = self.executor.prepare(GraphQLRequest(query, variables))
        answer = prepared if isinstance(prepared, Answer) else await self.executor.execute(prepared, "caller")
        return orjson.loads(answer.body)

    def refusal_of(self, query: str, variables: Mapping[str, object] | None = None) -> Mapping[str, Any]:
        """The extensions of the one error with which a document is refused before it runs."""
        answer = self.executor.prepare(GraphQLRequest(query, variables))
        assert isinstance(answer, Answer), "the document was accepted"
        (error,) = orjson.loads(answer.body)["errors"]
        return {"message": error["message"], **error["extensions"]}

    def cost(self, query: str, variables: Mapping[str, object] | None = None) -> int:
        prepared = self.executor.prepare(GraphQLRequest(query, variables))
        return self.refusal_of(query, variables)["cost"] if isinstance(prepared, Answer) else prepared.cost

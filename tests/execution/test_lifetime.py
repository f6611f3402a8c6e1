"""An operation's view of the catalogue ends with its answer, so that no old snapshot lives on."""

import gc
import weakref

import pytest

from catalogue.scope import Scope
from execution.cost import CatalogueSize
from execution.executor import Executor
from execution.limits import DocumentLimits
from execution.prepared import Prepared
from execution.request import GraphQLRequest
from resolvers.context import Context
from resolvers.schema import build_schema
from tests.resolvers.fakes import Ports


@pytest.mark.parametrize(
    "query",
    ["{ models { id pricing { input } } }", "{ providers { health { uptime } incidents { id } } }"],
)
async def test_a_context_is_gone_with_its_answer_without_the_garbage_collector(query: str) -> None:
    made: list[weakref.ref[Context]] = []

    def context(scope: Scope) -> Context:
        new = Context(scope, Ports().services)
        made.append(weakref.ref(new))
        return new

    executor = Executor(
        build_schema(),
        limits=DocumentLimits(),
        context=context,
        catalogue_size=lambda: CatalogueSize(providers=2, models=10, largest=10),
        report=lambda *_: None,
    )
    gc.disable()
    try:
        prepared = executor.prepare(GraphQLRequest(query=query))
        assert isinstance(prepared, Prepared)
        await executor.execute(prepared, Scope())
        assert made
        assert [ref() for ref in made if ref() is not None] == []
    finally:
        gc.enable()

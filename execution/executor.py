"""The `Executor`, which runs the operations of all transports.

Strawberry's `Schema.execute` parses and validates each request again and has no limits. Here graphql-core runs
Strawberry's schema directly, on documents that are already parsed, validated and within the limits.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from contextlib import aclosing, closing
from typing import Generic, Protocol, TypeVar, cast, runtime_checkable

import strawberry
from graphql import (
    ExecutionResult,
    create_source_event_stream,
    default_field_resolver,
    default_type_resolver,
    execute_root_selection_set,
)
from graphql.execution.collect_fields import FragmentDetails
from strawberry.execution import optimized_is_awaitable

from execution.answer import Answer, Outcome
from execution.cooperative import CooperativeExecutor
from execution.cost import CatalogueSize
from execution.encode import encode
from execution.errors import AnswerTooLarge, ErrorReporter, OperationTimedOut, client_error, field_errors, refuse
from execution.limits import DocumentLimits
from execution.persisted import PersistedDocuments
from execution.prepared import Preparation, Prepared

S = TypeVar("S")


@runtime_checkable
class _HasCost(Protocol):
    cost: int


class Executor(Generic[S]):
    """Runs operations on one schema; `S` is the caller's scope, which only `context` reads.

    `context` is called once for each query or mutation, once for a subscription's source and once for each of its
    events, so that an event reads the current state. If the context has an attribute `cost`, it is set to the cost of
    the operation. An answer is private if a field reads the caller, or if the context's attribute `private` is true
    afterwards. `event_id` returns the cursor of a source event, `catalogue_size` the size of the catalogue. `report`
    logs unexpected errors.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        *,
        limits: DocumentLimits,
        context: Callable[[S], object],
        catalogue_size: Callable[[], CatalogueSize],
        report: ErrorReporter,
        event_id: Callable[[object], str | None] = lambda _: None,
        persisted: PersistedDocuments | None = None,
    ) -> None:
        self._schema = schema._schema  # noqa: SLF001 - Strawberry has no public name for the schema that graphql-core runs
        self._limits = limits
        self._context = context
        self._report = report
        self._event_id = event_id
        preparation = Preparation(self._schema, limits, catalogue_size, persisted or PersistedDocuments(), report)
        self.prepare = preparation.prepare
        self.prepare_in_turn = preparation.prepare_in_turn
        self._turn = asyncio.Lock()
        self._waking = asyncio.Lock()

    async def execute(self, prepared: Prepared, scope: S, *, event: object = None) -> Answer:
        """Run a query or a mutation, or write an event of a subscription, with a time limit."""
        try:
            async with asyncio.timeout(self._limits.seconds):
                with closing(self._executor(prepared, scope, event)) as executor:
                    running = execute_root_selection_set(executor)
                    result = await running if isinstance(running, Awaitable) else running
            if executor.overfull:
                return refuse(Outcome.INVALID, AnswerTooLarge("rows", self._limits.answer_rows))
            private = prepared.private or bool(getattr(executor.context_value, "private", False))
            event_id = None if event is None else self._event_id(event)
            return await self._answer(result, private=private, event_id=event_id)
        except Exception as error:  # noqa: BLE001 - an error that leaves graphql-core is reported and masked
            return self._failed(error, Outcome.INVALID, Outcome.CRASHED)

    async def subscribe(self, prepared: Prepared, scope: S) -> AsyncGenerator[Answer, None]:
        """Run a subscription; closing this generator, or cancelling the task that awaits it, closes the source.

        A source that cannot be opened or that fails yields one last answer with errors.
        """
        try:
            source = await self._source(prepared, scope)
            if isinstance(source, ExecutionResult):
                yield await self._answer(source, private=False)
                return
            async with aclosing(cast("AsyncGenerator[object, None]", source)) as events:
                async for event in events:
                    # An event wakes all subscribers, which together would block the event loop.
                    async with self._waking:
                        await asyncio.sleep(0)
                    yield await self.execute(prepared, scope, event=event)
        except Exception as error:  # noqa: BLE001 - any error of a stream is reported, and masked for the client
            yield self._failed(error, Outcome.FAILED, Outcome.FAILED)

    async def _source(self, prepared: Prepared, scope: S) -> AsyncIterable[object] | ExecutionResult:
        """Open the source; its context ends here, since a subscription must not keep an old snapshot."""
        async with asyncio.timeout(self._limits.seconds):
            with closing(self._executor(prepared, scope, None)) as executor:
                opened = create_source_event_stream(executor)
                return await opened if isinstance(opened, Awaitable) else opened

    def _executor(self, prepared: Prepared, scope: S, root: object) -> CooperativeExecutor:
        context = self._context(scope)
        if isinstance(context, _HasCost):
            context.cost = prepared.cost
        # Not `build`, which would look for the operation and coerce the variables again.
        fragments = prepared.document.fragments
        return CooperativeExecutor(
            self._schema,
            fragment_definitions=fragments,
            fragments={name: FragmentDetails(fragment) for name, fragment in fragments.items()},
            root_value=root,
            context_value=context,
            operation=prepared.operation,
            variable_values=prepared.variables,
            field_resolver=default_field_resolver,
            type_resolver=default_type_resolver,
            subscribe_field_resolver=default_field_resolver,
            is_awaitable=optimized_is_awaitable,
            hide_suggestions=not self._limits.suggestions,
            turn=self._turn,
            most_rows=self._limits.answer_rows,
        )

    def _failed(self, error: Exception, expected: Outcome, unexpected: Outcome) -> Answer:
        """The answer to an operation that broke off, with the outcome of an expected or unexpected error."""
        if isinstance(error, TimeoutError):
            late = OperationTimedOut(f"The operation took longer than {self._limits.seconds:g} s.")
            return refuse(Outcome.TIMED_OUT, late)
        shown = client_error(error, self._report)
        return refuse(expected if shown is error else unexpected, shown)

    async def _answer(self, result: ExecutionResult, *, private: bool, event_id: str | None = None) -> Answer:
        body: dict[str, object] = {"data": result.data}
        outcome = Outcome.OK
        if result.errors:
            body["errors"] = field_errors(result.errors, self._report)
            outcome = Outcome.FAILED if result.data is None else Outcome.PARTIAL
        return Answer(await encode(body, self._limits.answer_bytes), outcome, private, event_id)

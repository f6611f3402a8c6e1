"""The `Executor`, which runs the operations of all transports.

Strawberry's `Schema.execute` parses and validates each request again and has no limits. Here graphql-core runs
Strawberry's schema directly, on documents that are already parsed, validated and within the limits.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any, Final, Generic, Protocol, TypeGuard, TypeVar, cast, runtime_checkable

import strawberry
from graphql import (
    ExecutionResult,
    GraphQLError,
    OperationType,
    create_source_event_stream,
    default_field_resolver,
    default_type_resolver,
    execute_root_selection_set,
)
from graphql.execution.collect_fields import FragmentDetails
from strawberry.execution import optimized_is_awaitable

from catalogue.errors import ClientError
from execution.answer import Answer, Outcome
from execution.catalogue_size import CatalogueSize
from execution.cooperative import CooperativeExecutor
from execution.document import InvalidDocument
from execution.encode import encode
from execution.errors import (
    BAD_USER_INPUT,
    PARSE_FAILED,
    VALIDATION_FAILED,
    AnswerTooLarge,
    ErrorReporter,
    OperationTimedOut,
    client_error,
    code_of,
    crash,
    document_errors,
    field_errors,
    refuse,
)
from execution.limits import DocumentLimits
from execution.persisted import DocumentNotFound, PersistedDocuments
from execution.prepared import KindRefused, Preparation, Prepared, WrongVariables
from execution.request import GraphQLRequest

S = TypeVar("S")

_REFUSALS: Final[Mapping[type[ClientError], Outcome]] = {
    KindRefused: Outcome.REFUSED,
    DocumentNotFound: Outcome.UNKNOWN_DOCUMENT,
}


@runtime_checkable
class _HasCost(Protocol):
    cost: int


def _is_awaitable(value: Any) -> TypeGuard[Awaitable[Any]]:
    return optimized_is_awaitable(value)


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
        self._preparation = Preparation(
            self._schema, limits=limits, catalogue_size=catalogue_size, persisted=persisted or PersistedDocuments()
        )
        self._turn = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._waking = asyncio.Lock()

    async def prepare_in_turn(
        self, request: GraphQLRequest, *, allow: frozenset[OperationType] | None = None
    ) -> Prepared | Answer:
        """Prepare a request; new documents are parsed one at a time, so that known ones can run in between."""
        if not self._preparation.knows(request):
            async with self._reading:
                await asyncio.sleep(0)
                return self.prepare(request, allow=allow)
        return self.prepare(request, allow=allow)

    def prepare(self, request: GraphQLRequest, *, allow: frozenset[OperationType] | None = None) -> Prepared | Answer:
        """Prepare a request, or return an answer with errors; `allow` limits the kinds of operation (null: all)."""
        try:
            return self._preparation(request, allow)
        except InvalidDocument as error:
            return refuse(Outcome.INVALID, *document_errors(error.errors, VALIDATION_FAILED))
        except WrongVariables as error:
            return refuse(Outcome.INVALID, *document_errors(error.errors, BAD_USER_INPUT))
        except GraphQLError as error:
            code = code_of(error)
            outcome = Outcome.UNPARSABLE if code == PARSE_FAILED else Outcome.INVALID
            return refuse(outcome, *document_errors([error], code))
        except ClientError as error:
            return refuse(_REFUSALS.get(type(error), Outcome.INVALID), client_error(error))
        except Exception as error:  # noqa: BLE001 - any other error is the server's fault: reported and masked
            return refuse(Outcome.CRASHED, crash(error, self._report))

    async def execute(self, prepared: Prepared, scope: S) -> Answer:
        """Run a query or a mutation, with a time limit."""
        return await self._run(prepared, scope, root=None)

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
                    yield await self._run(prepared, scope, root=event)
        except TimeoutError:
            yield self._late()
        except ClientError as error:
            yield refuse(Outcome.FAILED, client_error(error))
        except Exception as error:  # noqa: BLE001 - any error of a stream is reported, and masked for the client
            yield refuse(Outcome.FAILED, crash(error, self._report))

    async def _source(self, prepared: Prepared, scope: S) -> AsyncIterable[object] | ExecutionResult:
        async with asyncio.timeout(self._limits.seconds):
            with self._executor(prepared, self._context_of(prepared, scope), None) as executor:
                opened = create_source_event_stream(executor)
                return await opened if _is_awaitable(opened) else cast("AsyncIterable[object]", opened)

    async def _run(self, prepared: Prepared, scope: S, *, root: object) -> Answer:
        try:
            context = self._context_of(prepared, scope)
            async with asyncio.timeout(self._limits.seconds):
                with self._executor(prepared, context, root) as executor:
                    running = execute_root_selection_set(executor)
                    result = await running if _is_awaitable(running) else cast("ExecutionResult", running)
            if executor.overfull:
                return refuse(Outcome.INVALID, client_error(AnswerTooLarge("rows", self._limits.answer_rows)))
            private = prepared.private or bool(getattr(context, "private", False))
            return await self._answer(result, private=private, event_id=None if root is None else self._event_id(root))
        except TimeoutError:
            return self._late()
        except ClientError as error:
            return refuse(Outcome.INVALID, client_error(error))
        except Exception as error:  # noqa: BLE001 - an error that leaves graphql-core is reported and masked
            return refuse(Outcome.CRASHED, crash(error, self._report))

    def _context_of(self, prepared: Prepared, scope: S) -> object:
        context = self._context(scope)
        if isinstance(context, _HasCost):
            context.cost = prepared.cost
        return context

    def _executor(self, prepared: Prepared, context: object, root: object) -> CooperativeExecutor:
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
            is_awaitable=_is_awaitable,
            hide_suggestions=not self._limits.suggestions,
            turn=self._turn,
            most_rows=self._limits.answer_rows,
        )

    def _late(self) -> Answer:
        late = OperationTimedOut(f"The operation took longer than {self._limits.seconds:g} s.")
        return refuse(Outcome.TIMED_OUT, client_error(late))

    async def _answer(self, result: ExecutionResult, *, private: bool, event_id: str | None = None) -> Answer:
        body: dict[str, object] = {"data": result.data}
        outcome = Outcome.OK
        if result.errors:
            body["errors"] = field_errors(result.errors, self._report)
            outcome = Outcome.FAILED if result.data is None else Outcome.PARTIAL
        return Answer(await encode(body, self._limits.answer_bytes), outcome, private, event_id)

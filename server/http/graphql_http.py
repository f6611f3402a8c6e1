"""GraphQL over HTTP, first edition (September 2026), strictly: one path for queries, mutations and event streams."""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from dataclasses import KW_ONLY, dataclass
from typing import Final, Generic, TypeVar

from graphql import OperationType
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from catalogue.errors import ClientError
from execution.answer import Answer, Outcome
from execution.errors import ErrorReporter, client_error, refuse
from execution.executor import Executor
from execution.prepared import Prepared
from execution.request import BadRequest
from server.http.accept import LONGEST, MOST_RANGES, Acceptable, MediaType, acceptable
from server.http.error_responses import METHOD_NOT_ALLOWED, status_of
from server.http.graphql_sse import EventStream, once
from server.http.http_request import ClientGone, read_request, while_connected
from server.http.web_rules import PRIVATE, PUBLIC, holds

S = TypeVar("S")

_VARY: Final = "Accept, Authorization, X-Provider-Keys"
_NOT_ACCEPTABLE: Final = (
    f"Nothing in Accept can be answered; this endpoint speaks {', '.join(each.value for each in MediaType)}, "
    f"and reads at most {MOST_RANGES} media ranges and {LONGEST} characters."
)
_ALLOWED: Final[Mapping[str, frozenset[OperationType]]] = {
    "HEAD": frozenset({OperationType.QUERY}),
    "GET": frozenset({OperationType.QUERY, OperationType.SUBSCRIPTION}),
    "POST": frozenset(OperationType),
}
_STATUS: Final = {
    Outcome.OK: 200,
    Outcome.PARTIAL: 294,
    Outcome.FAILED: 294,
    Outcome.UNPARSABLE: 400,
    Outcome.INVALID: 422,
    Outcome.REFUSED: METHOD_NOT_ALLOWED,
    Outcome.UNKNOWN_DOCUMENT: 404,
    Outcome.TIMED_OUT: 503,
    Outcome.CRASHED: 500,
}
_LEGACY_STATUS: Final = _STATUS | dict.fromkeys(
    (Outcome.PARTIAL, Outcome.FAILED, Outcome.UNPARSABLE, Outcome.INVALID, Outcome.UNKNOWN_DOCUMENT), 200
)
"""Clients that accept only `application/json` take 200 for "there is a GraphQL answer", whatever it says."""


@dataclass(frozen=True, slots=True)
class GraphQLEndpoint(Generic[S]):
    """An ASGI application for one path, speaking GraphQL over HTTP and over Server-Sent Events.

    `scope_of` and both `admit` functions raise a `ClientError` to turn the caller away.
    """

    executor: Executor[S]
    _: KW_ONLY
    scope_of: Callable[[HTTPConnection], S]
    report: ErrorReporter
    admit: Callable[[S], AbstractAsyncContextManager[None]] = lambda _: nullcontext()
    """Entered around a request until its answer is sent."""
    admit_stream: Callable[[S], AbstractAsyncContextManager[None]] = lambda _: nullcontext()
    """Entered in its stead around the stream of a subscription."""
    stopping: Callable[[], bool] = lambda: False
    """Whether streams end because the server does."""
    longest_body: int = 256 * 1024
    """Bytes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = Request(scope, receive)
        accepted = acceptable(",".join(request.headers.getlist("accept")))
        async with AsyncExitStack() as admission:
            try:
                response = await self._respond(request, accepted, admission)
            except ClientGone:
                return
            except Exception as error:  # noqa: BLE001 - whatever breaks is reported, and masked for the client
                response = turned_away(accepted, client_error(error, self.report))
            await response(scope, receive, send)

    async def _respond(
        self, request: Request, accepted: Acceptable, admission: AsyncExitStack
    ) -> Response | EventStream:
        if request.method not in _ALLOWED:
            raise BadRequest(f"{request.method} is not supported.", METHOD_NOT_ALLOWED)
        if accepted.answer is None and not accepted.stream:
            raise BadRequest(_NOT_ACCEPTABLE, 406)
        caller = self.scope_of(request)
        await admission.enter_async_context(self.admit(caller))
        operation = await read_request(request, longest=self.longest_body)
        prepared = await self.executor.prepare_in_turn(operation, allow=_ALLOWED[request.method])
        if isinstance(prepared, Answer):
            return _finished(request, prepared, accepted)
        if prepared.kind is OperationType.SUBSCRIPTION:
            return await self._subscribe(prepared, caller, accepted, admission)
        running = self.executor.execute(prepared, caller)
        is_query = prepared.kind is OperationType.QUERY
        answer = await (while_connected(running, request.receive) if is_query else running)
        return _finished(request, answer, accepted)

    async def _subscribe(
        self, prepared: Prepared, caller: S, accepted: Acceptable, admission: AsyncExitStack
    ) -> EventStream:
        if not accepted.stream:
            raise BadRequest("A subscription needs Accept: text/event-stream, or a graphql-transport-ws socket.", 406)
        await admission.aclose()
        await admission.enter_async_context(self.admit_stream(caller))
        return EventStream(self.executor.subscribe(prepared, caller), stopping=self.stopping)


def _finished(request: Request, answer: Answer, accepted: Acceptable) -> Response | EventStream:
    """Write an answer, that of a GET so that browsers and shared caches may keep it."""
    if answer.outcome is Outcome.REFUSED:
        return _written(answer.body, accepted, METHOD_NOT_ALLOWED, {"allow": "POST"})
    if accepted.stream_first or accepted.answer is None:
        return EventStream(once(answer))
    if answer.private:
        headers = {"cache-control": PRIVATE}
    elif request.method != "POST" and answer.outcome is Outcome.OK:
        hashed = hashlib.blake2b(accepted.answer.value.encode() + answer.body, digest_size=16)
        headers = {"cache-control": PUBLIC, "etag": f'"{hashed.hexdigest()}"'}
        if holds(request, headers["etag"]):
            return Response(None, 304, {**headers, "vary": _VARY})
    else:
        headers = {}
    statuses = _LEGACY_STATUS if accepted.answer is MediaType.JSON else _STATUS
    return _written(answer.body, accepted, statuses[answer.outcome], headers)


def turned_away(accepted: Acceptable, error: ClientError) -> Response:
    """Answer a request that ran nothing, with the HTTP status for the reason."""
    status, headers = status_of(error)
    return _written(refuse(Outcome.REFUSED, error).body, accepted, status, headers)


def _written(body: bytes, accepted: Acceptable, status: int, headers: Mapping[str, str]) -> Response:
    media_type = (accepted.answer or MediaType.JSON).value
    always = {"cache-control": "no-store", "vary": _VARY, "content-type": f"{media_type}; charset=utf-8"}
    return Response(body, status, {**always, **headers})

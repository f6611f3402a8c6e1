"""GraphQL over HTTP, first edition (September 2026), strictly: one path for queries, mutations and event streams."""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from typing import Final, Generic, TypeVar

import orjson
from graphql import OperationType
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from catalogue.errors import ClientError
from execution.answer import Answer, Outcome
from execution.errors import BAD_USER_INPUT, ErrorReporter, crash, refuse
from execution.executor import Executor
from execution.prepared import Prepared
from execution.request import BadRequest, GraphQLRequest
from server.http.accept import LONGEST, MOST_RANGES, Acceptable, MediaType, acceptable_to
from server.http.caching import PRIVATE, PUBLIC, holds
from server.http.disconnect import ClientGone, while_connected
from server.http.error_responses import status_of
from server.http.graphql_sse import EventStream, once
from server.http.http_request import read_body, read_url

S = TypeVar("S")

_VARY: Final = "Accept, Authorization, X-Provider-Keys"
_LONGEST_URL: Final = 16 * 1024
"""Bytes of a query string that are read."""
_METHOD_NOT_ALLOWED: Final = 405
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
    Outcome.REFUSED: _METHOD_NOT_ALLOWED,
    Outcome.UNKNOWN_DOCUMENT: 404,
    Outcome.TIMED_OUT: 503,
    Outcome.CRASHED: 500,
}
_LEGACY_STATUS: Final = _STATUS | dict.fromkeys(
    (Outcome.PARTIAL, Outcome.FAILED, Outcome.UNPARSABLE, Outcome.INVALID, Outcome.UNKNOWN_DOCUMENT), 200
)
"""Clients that accept only `application/json` take 200 for "there is a GraphQL answer", whatever it says."""


class GraphQLEndpoint(Generic[S]):
    """An ASGI application for one path, speaking GraphQL over HTTP and over Server-Sent Events.

    `scope_of` identifies the caller. `admit` is entered around a request until its answer is sent, and left for
    `admit_stream` where it becomes a subscription's stream. Each raises a `ClientError` to turn the caller away.
    `report` logs unexpected errors; `stopping` is true when streams end because the server does; `longest_body` is in
    bytes.
    """

    def __init__(
        self,
        executor: Executor[S],
        *,
        scope_of: Callable[[HTTPConnection], S],
        report: ErrorReporter,
        admit: Callable[[S], AbstractAsyncContextManager[None]] = lambda _: nullcontext(),
        admit_stream: Callable[[S], AbstractAsyncContextManager[None]] = lambda _: nullcontext(),
        stopping: Callable[[], bool] = lambda: False,
        longest_body: int = 256 * 1024,
    ) -> None:
        self._executor = executor
        self._scope_of = scope_of
        self._report = report
        self._admit = admit
        self._admit_stream = admit_stream
        self._stopping = stopping
        self._longest_body = longest_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        connection = HTTPConnection(scope)
        accepted = acceptable_to(connection)
        async with AsyncExitStack() as admission:
            response = await self._response(connection, receive, accepted, admission)
            if response is not None:
                await response(scope, receive, send)

    async def _response(
        self, connection: HTTPConnection, receive: Receive, accepted: Acceptable, admission: AsyncExitStack
    ) -> Response | EventStream | None:
        """Find the response, whatever happens; None where nobody is left to read it."""
        try:
            caller = self._caller(connection, accepted)
            await admission.enter_async_context(self._admit(caller))
            return await self._respond(connection, receive, accepted, caller, admission)
        except ClientGone:
            return None
        except BadRequest as error:
            allow = {"allow": ", ".join(_ALLOWED)} if error.status == _METHOD_NOT_ALLOWED else {}
            return _errors(accepted, error.message, {"code": BAD_USER_INPUT}, error.status, allow)
        except ClientError as error:
            return turned_away(accepted, error)
        except Exception as error:  # noqa: BLE001 - whatever breaks is reported, and masked for the client
            crashed = refuse(Outcome.CRASHED, crash(error, self._report))
            return _with_body(crashed.body, accepted, _STATUS[crashed.outcome], {})

    def _caller(self, connection: HTTPConnection, accepted: Acceptable) -> S:
        method = connection.scope["method"]
        if method not in _ALLOWED:
            raise BadRequest(f"{method} is not supported.", _METHOD_NOT_ALLOWED)
        if accepted.answer is None and not accepted.stream:
            types = ", ".join(media_type.value for media_type in MediaType)
            bounds = f"{MOST_RANGES} media ranges and {LONGEST} characters"
            raise BadRequest(
                f"Nothing in Accept can be answered; this endpoint speaks {types}, and reads at most {bounds}.", 406
            )
        return self._scope_of(connection)

    async def _respond(
        self, connection: HTTPConnection, receive: Receive, accepted: Acceptable, caller: S, admission: AsyncExitStack
    ) -> Response | EventStream:
        request = await self._read(connection, receive)
        prepared = await self._executor.prepare_in_turn(request, allow=_ALLOWED[connection.scope["method"]])
        if isinstance(prepared, Answer):
            return self._finished(connection, prepared, accepted)
        if prepared.kind is OperationType.SUBSCRIPTION:
            return await self._subscribe(prepared, caller, accepted, admission)
        running = self._executor.execute(prepared, caller)
        is_query = prepared.kind is OperationType.QUERY
        answer = await (while_connected(running, receive) if is_query else running)
        return self._finished(connection, answer, accepted)

    async def _read(self, connection: HTTPConnection, receive: Receive) -> GraphQLRequest:
        if connection.scope["method"] == "POST":
            return await read_body(connection, receive, longest=self._longest_body)
        return read_url(connection, longest=_LONGEST_URL)

    async def _subscribe(
        self, prepared: Prepared, caller: S, accepted: Acceptable, admission: AsyncExitStack
    ) -> EventStream:
        if not accepted.stream:
            raise BadRequest("A subscription needs Accept: text/event-stream, or a graphql-transport-ws socket.", 406)
        await admission.aclose()
        await admission.enter_async_context(self._admit_stream(caller))
        return EventStream(self._executor.subscribe(prepared, caller), stopping=self._stopping)

    def _finished(self, connection: HTTPConnection, answer: Answer, accepted: Acceptable) -> Response | EventStream:
        if answer.outcome is Outcome.REFUSED:
            return _with_body(answer.body, accepted, _METHOD_NOT_ALLOWED, {"allow": "POST"})
        if accepted.stream_first or accepted.answer is None:
            return EventStream(once(answer))
        if connection.scope["method"] != "POST" and answer.outcome is Outcome.OK:
            return self._cacheable(connection, answer, accepted.answer)
        statuses = _LEGACY_STATUS if accepted.answer is MediaType.JSON else _STATUS
        return _with_body(answer.body, accepted, statuses[answer.outcome], _uncached(private=answer.private))

    def _cacheable(self, connection: HTTPConnection, answer: Answer, media_type: MediaType) -> Response:
        """Answer a GET so that browsers and shared caches may keep it, or need not fetch it again."""
        if answer.private:
            return Response(answer.body, 200, {**_uncached(private=True), "content-type": media_type.content_type})
        tag = f'"{hashlib.blake2b(media_type.value.encode() + answer.body, digest_size=16).hexdigest()}"'
        headers = {"etag": tag, "cache-control": PUBLIC, "vary": _VARY}
        if holds(connection, tag):
            return Response(None, 304, headers)
        return Response(answer.body, 200, {**headers, "content-type": media_type.content_type})


def _uncached(*, private: bool = False) -> dict[str, str]:
    return {"cache-control": PRIVATE if private else "no-store", "vary": _VARY}


def _with_body(body: bytes, accepted: Acceptable, status: int, headers: Mapping[str, str]) -> Response:
    media_type = accepted.answer or MediaType.JSON
    return Response(body, status, {**_uncached(), **headers, "content-type": media_type.content_type})


def _errors(
    accepted: Acceptable,
    message: str,
    extensions: Mapping[str, object],
    status: int,
    headers: Mapping[str, str] | None = None,
) -> Response:
    body = orjson.dumps({"errors": [{"message": message, "extensions": dict(extensions)}]})
    return _with_body(body, accepted, status, headers or {})


def turned_away(accepted: Acceptable, error: ClientError) -> Response:
    """Answer a caller that is not admitted, with the HTTP status for the reason."""
    return _errors(accepted, error.message, error.extensions, *status_of(error))

"""Errors as clients see them: expected errors with their message and code, unexpected ones masked with a random id."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson
from graphql import GraphQLError

from catalogue.errors import ClientError
from execution.answer import Answer, Outcome

ErrorReporter = Callable[[Exception, str], None]
"""Logs an unexpected error with the id that the client receives."""

_LONGEST_MESSAGE = 500

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
BAD_USER_INPUT = "BAD_USER_INPUT"


class DocumentTooLarge(ClientError):
    """The document exceeds a limit, whatever its cost."""

    code = "QUERY_TOO_COMPLEX"

    def __init__(self, what: str, count: int | None, limit: int) -> None:
        excess = "" if count is None else f": it has {count}"
        message = f"The document exceeds the limit of {limit} for {what}{excess}."
        super().__init__(message, measure=what, cost=count, limit=limit)


class AnswerTooLarge(ClientError):
    """The answer exceeds a limit, which shows only during execution."""

    code = "QUERY_TOO_COMPLEX"

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(
            f"The answer has more than {limit} {what}. Select fewer fields, or request a page at a time.",
            measure=f"{what} of the answer",
            limit=limit,
        )


class OperationTimedOut(ClientError):
    """The operation took too long."""

    code = "TIMEOUT"


class InternalError(ClientError):
    """Stands in for an unexpected error, which the log has under the same id."""

    def __init__(self, error_id: str) -> None:
        super().__init__(f"Internal server error. Its id in the log is {error_id}.", id=error_id)


def client_error(error: Exception, report: ErrorReporter) -> ClientError:
    """The error that clients see: an expected one as it is, any other masked and reported."""
    if isinstance(error, ClientError):
        return error
    error_id = secrets.token_hex(8)
    report(error, error_id)
    return InternalError(error_id)


def refuse(outcome: Outcome, error: ClientError) -> Answer:
    """An answer with an error that belongs to no field, and no `data`: nothing ran."""
    written = {"message": error.message, "extensions": dict(error.extensions)}
    return Answer(orjson.dumps({"errors": [written]}), outcome)


def refuse_document(errors: Iterable[GraphQLError], code: str) -> Answer:
    """An answer with graphql-core's errors about a document or its variables; all of them are the client's to fix."""
    outcome = Outcome.UNPARSABLE if code == PARSE_FAILED else Outcome.INVALID
    return Answer(orjson.dumps({"errors": [_write(error, error.message, {"code": code}) for error in errors]}), outcome)


def field_errors(errors: Iterable[GraphQLError], report: ErrorReporter) -> list[dict[str, Any]]:
    """Format the errors of fields: expected ones as they are, the rest masked and reported.

    An error of one field that repeats in many rows is reported once and has one id.
    """
    shown: dict[object, ClientError] = {}
    written = []
    for error in errors:
        cause = _cause(error)
        if isinstance(cause, GraphQLError) and cause.nodes:
            written.append(_write(error, cause.message, {"code": BAD_USER_INPUT}))
            continue
        kind = (type(cause), *(name for name in error.path or () if isinstance(name, str)))
        if isinstance(cause, ClientError) or kind not in shown:
            shown[kind] = client_error(cause, report)
        written.append(_write(error, shown[kind].message, shown[kind].extensions))
    return written


def _cause(error: GraphQLError) -> Exception:
    """The error that was raised: graphql-core wraps it once, or twice in a list.

    graphql-core's own error about an invalid argument has a position in the document (`nodes`); its error about a
    resolver's result of the wrong type has none, and is the server's fault.
    """
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _write(error: GraphQLError, message: str, extensions: Mapping[str, object]) -> dict[str, Any]:
    written: dict[str, Any] = {"message": message[:_LONGEST_MESSAGE]}
    if error.locations:
        written["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path is not None:
        written["path"] = error.path
    return {**written, "extensions": dict(extensions)}

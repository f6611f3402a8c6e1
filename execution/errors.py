"""Errors as clients see them: expected errors with their message and code, unexpected ones masked with a random id."""

import secrets
from collections.abc import Callable, Iterable
from typing import Any

import orjson
from graphql import GraphQLError, GraphQLSyntaxError

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


def client_error(error: ClientError) -> dict[str, Any]:
    """Format an expected error that belongs to no field."""
    return {"message": error.message, "extensions": dict(error.extensions)}


def document_errors(errors: Iterable[GraphQLError], code: str) -> list[dict[str, Any]]:
    """Format graphql-core's errors about a document or its variables; all of them are the client's to fix."""
    return [_write(error, error.message, {"code": code}) for error in errors]


def field_errors(errors: Iterable[GraphQLError], report: ErrorReporter) -> list[dict[str, Any]]:
    """Format the errors of fields: expected ones as they are, the rest masked and reported.

    An error of one field that repeats in many rows is reported once and has one id.
    """
    masked: dict[object, tuple[str, dict[str, Any]]] = {}

    def mask(error: GraphQLError, cause: Exception) -> tuple[str, dict[str, Any]]:
        kind = (type(cause), *(name for name in error.path or () if isinstance(name, str)))
        if kind not in masked:
            masked[kind] = _mask(cause, report)
        return masked[kind]

    return [_field_error(error, mask) for error in errors]


def crash(error: Exception, report: ErrorReporter) -> dict[str, Any]:
    """Mask and report an unexpected error that belongs to no field."""
    message, extensions = _mask(error, report)
    return {"message": message, "extensions": extensions}


def refuse(outcome: Outcome, *errors: dict[str, Any]) -> Answer:
    """An answer with errors and no `data`: nothing ran."""
    return Answer(orjson.dumps({"errors": errors}), outcome)


def code_of(error: GraphQLError) -> str:
    """The code of graphql-core's error: the document is not GraphQL, or does not fit the schema."""
    return PARSE_FAILED if isinstance(error, GraphQLSyntaxError) else VALIDATION_FAILED


def _field_error(
    error: GraphQLError, mask: Callable[[GraphQLError, Exception], tuple[str, dict[str, Any]]]
) -> dict[str, Any]:
    cause = _cause(error)
    if isinstance(cause, ClientError):
        return _write(error, cause.message, dict(cause.extensions))
    if isinstance(cause, GraphQLError) and cause.nodes:
        return _write(error, cause.message, {"code": BAD_USER_INPUT})
    return _write(error, *mask(error, cause))


def _cause(error: GraphQLError) -> Exception:
    """The error that was raised: graphql-core wraps it once, or twice in a list.

    graphql-core's own error about an invalid argument has a position in the document (`nodes`); its error about a
    resolver's result of the wrong type has none, and is the server's fault.
    """
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _mask(error: Exception, report: ErrorReporter) -> tuple[str, dict[str, Any]]:
    error_id = secrets.token_hex(8)
    report(error, error_id)
    return f"Internal server error. Its id in the log is {error_id}.", {"code": "INTERNAL", "id": error_id}


def _write(error: GraphQLError, message: str, extensions: dict[str, Any]) -> dict[str, Any]:
    written: dict[str, Any] = {"message": message[:_LONGEST_MESSAGE]}
    if error.locations:
        written["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path is not None:
        written["path"] = error.path
    written["extensions"] = extensions
    return written

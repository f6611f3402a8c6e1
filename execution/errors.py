"""What of an error reaches the client: a code always, words for expected errors, a random id for the rest."""

import secrets
from collections.abc import Callable, Iterable
from typing import Any

import orjson
from graphql import GraphQLError, GraphQLSyntaxError

from catalogue.errors import ClientError
from execution.answer import Answer, Outcome

Report = Callable[[Exception, str], None]
"""Takes an unexpected error and the id that the client was given for it to the log."""

_LONGEST_MESSAGE = 500

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
BAD_USER_INPUT = "BAD_USER_INPUT"


class DocumentTooLarge(ClientError):
    """The document itself passes a limit, whatever it would cost to run."""

    code = "QUERY_TOO_COMPLEX"

    def __init__(self, what: str, count: int | None, limit: int) -> None:
        size = "more" if count is None else str(count)
        super().__init__(
            f"The document has {size} {what}; the limit is {limit}.", measure=what, cost=count, limit=limit
        )


class AnswerTooLarge(ClientError):
    """The answer passes a limit, which only shows while it is made."""

    code = "QUERY_TOO_COMPLEX"

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(
            f"The answer has more than {limit} {what}. Ask for fewer fields, or for a page at a time.",
            measure=f"{what} of the answer",
            limit=limit,
        )


class OperationTimedOut(ClientError):
    """The operation took longer than one may."""

    code = "TIMEOUT"


def client_error(error: ClientError) -> dict[str, Any]:
    """Write an expected error that belongs to no field."""
    return {"message": error.message, "extensions": dict(error.extensions)}


def document_errors(errors: Iterable[GraphQLError], code: str) -> list[dict[str, Any]]:
    """Write graphql-core's own complaints about a document or its variables; every one is the caller's to mend."""
    return [_write(error, error.message, {"code": code}) for error in errors]


def field_errors(errors: Iterable[GraphQLError], report: Report) -> list[dict[str, Any]]:
    """Write the errors of fields: expected ones in their own words, the rest masked and reported.

    What one field meets in every row is reported once, and has the same id in all of them.
    """
    masked: dict[object, tuple[str, dict[str, Any]]] = {}

    def mask(error: GraphQLError, cause: Exception) -> tuple[str, dict[str, Any]]:
        kind = (type(cause), *(name for name in error.path or () if isinstance(name, str)))
        if kind not in masked:
            masked[kind] = _mask(cause, report)
        return masked[kind]

    return [_field_error(error, mask) for error in errors]


def crash(error: Exception, report: Report) -> dict[str, Any]:
    """Mask and report an unexpected error that belongs to no field."""
    message, extensions = _mask(error, report)
    return {"message": message, "extensions": extensions}


def refuse(outcome: Outcome, *errors: dict[str, Any]) -> Answer:
    """Answer with errors alone: nothing ran, so there is no `data`."""
    return Answer(orjson.dumps({"errors": errors}), outcome)


def code_of(error: GraphQLError) -> str:
    """Tell a document that is no GraphQL from one that does not fit the schema."""
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
    """Find what was raised: graphql-core wraps it once, or twice in a list.

    An argument that does not fit is graphql-core's own error and knows its place in the document (`nodes`); a
    resolver's result that does not fit its type does not, and is the server's fault.
    """
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _mask(error: Exception, report: Report) -> tuple[str, dict[str, Any]]:
    error_id = secrets.token_hex(8)
    report(error, error_id)
    return f"Something went wrong in the server. The log has it as {error_id}.", {"code": "INTERNAL", "id": error_id}


def _write(error: GraphQLError, message: str, extensions: dict[str, Any]) -> dict[str, Any]:
    written: dict[str, Any] = {"message": message[:_LONGEST_MESSAGE]}
    if error.locations:
        written["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path is not None:
        written["path"] = error.path
    written["extensions"] = extensions
    return written

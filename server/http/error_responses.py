"""Expected errors in HTTP: a status, headers, and JSON outside of GraphQL."""

import math
from collections.abc import Mapping

import orjson
from starlette.responses import Response

from catalogue.errors import ClientError, Forbidden, RateLimited, Unauthenticated
from server.http.caching import PRIVATE


def status_of(error: ClientError) -> tuple[int, dict[str, str]]:
    """The status of an error that turns a caller away, with the headers that say how to come back."""
    match error:
        case Unauthenticated():
            return 401, {"www-authenticate": "Bearer"}
        case Forbidden():
            return 403, {}
        case RateLimited():
            return 429, {"retry-after": str(math.ceil(error.retry_after))}
        case _:
            return 400, {}


def error_response(error: ClientError) -> Response:
    """Answer with an expected error."""
    status, headers = status_of(error)
    return json_error(error.message, error.extensions, status, headers)


def json_error(
    message: str, extensions: Mapping[str, object], status: int, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with an error in JSON; `extensions` are those of a GraphQL error."""
    body = orjson.dumps({"error": {**extensions, "message": message}})
    return Response(body, status, {"cache-control": PRIVATE, **(headers or {})}, media_type="application/json")

"""Expected errors in HTTP: a status, headers, and JSON outside of GraphQL."""

import math
from typing import Final

import orjson
from starlette.responses import Response

from catalogue.errors import ClientError, Forbidden, RateLimited, Unauthenticated
from execution.errors import InternalError
from execution.request import BadRequest
from server.http.web_rules import PRIVATE

METHODS: Final = ("HEAD", "GET", "POST")
"""The methods of GraphQL over HTTP."""
METHOD_NOT_ALLOWED: Final = 405


def status_of(error: ClientError) -> tuple[int, dict[str, str]]:
    """The status of an error that turns a caller away, with the headers that say how to come back."""
    match error:
        case BadRequest():
            return error.status, {"allow": ", ".join(METHODS)} if error.status == METHOD_NOT_ALLOWED else {}
        case Unauthenticated():
            return 401, {"www-authenticate": "Bearer"}
        case Forbidden():
            return 403, {}
        case RateLimited():
            return 429, {"retry-after": str(math.ceil(error.retry_after))}
        case InternalError():
            return 500, {}
        case _:
            return 400, {}


def error_response(error: ClientError) -> Response:
    """Answer with an error in JSON; its properties are the message and the extensions of a GraphQL error."""
    status, headers = status_of(error)
    body = orjson.dumps({"error": {**error.extensions, "message": error.message}})
    return Response(body, status, {"cache-control": PRIVATE, **headers}, media_type="application/json")

"""A GraphQL request as HTTP carries it: read from the URL of a GET or from the body of a POST, strictly and bounded."""

from typing import Any, Final

import orjson
from starlette.datastructures import QueryParams
from starlette.requests import HTTPConnection
from starlette.types import Receive

from execution.request import BadRequest, GraphQLRequest, parse_request
from server.http.disconnect import ClientGone

_TEXTS: Final = ("query", "operationName", "documentId")
_OBJECTS: Final = ("variables", "extensions")
_UTF_8: Final = frozenset({"utf-8", "utf8"})
_LONGEST_TYPE: Final = 1_024
"""Characters of Content-Type that are read."""


def read_url(connection: HTTPConnection, *, longest: int) -> GraphQLRequest:
    """Read the request of a GET; an empty parameter is an absent one.

    Raises:
        BadRequest: the query string has more than `longest` bytes (414), or a parameter is malformed.
    """
    raw: bytes = connection.scope["query_string"]
    if len(raw) > longest:
        raise BadRequest(f"The URL's query string has more than {longest} bytes; send the request by POST.", 414)
    given = QueryParams(raw)
    value: dict[str, Any] = {name: given[name] for name in _TEXTS if given.get(name)}
    value |= {name: _decode(given[name].encode(), f"'{name}'") for name in _OBJECTS if given.get(name)}
    return parse_request(value)


async def read_body(connection: HTTPConnection, receive: Receive, *, longest: int) -> GraphQLRequest:
    """Read the request of a POST, and stop reading where it has more than `longest` bytes.

    Raises:
        BadRequest: it is not JSON by its type (415) or by its text (400), too long (413), or no GraphQL request.
        ClientGone: the client left before it was through.
    """
    _require_json(connection.headers.get("content-type", ""))
    too_long = BadRequest(f"The body has more than {longest} bytes.", 413)
    declared = connection.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > longest:
        raise too_long
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += message.get("body", b"")
        if len(body) > longest:
            raise too_long
        more = message.get("more_body", False)
    return parse_request(_decode(bytes(body), "The body"))


def _require_json(content_type: str) -> None:
    if len(content_type) <= _LONGEST_TYPE:
        media_type, *parameters = (piece.strip() for piece in content_type.lower().split(";"))
        named = (parameter.partition("=") for parameter in parameters)
        charsets = {value.strip().strip('"') for name, _, value in named if name.strip() == "charset"}
        if media_type == "application/json" and charsets <= _UTF_8:
            return
    raise BadRequest("Content-Type must be application/json in UTF-8.", 415)


def _decode(text: bytes, what: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadRequest(f"{what} is not valid JSON.", 400) from None

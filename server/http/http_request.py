"""A GraphQL request as HTTP carries it: read strictly and within bounds, and abandoned when its client disconnects."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

import orjson
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.types import Receive

from execution.request import BadRequest, GraphQLRequest, parse_request

T = TypeVar("T")

_TEXTS: Final = ("query", "operationName", "documentId")
_OBJECTS: Final = ("variables", "extensions")
_UTF_8: Final = frozenset({"utf-8", "utf8"})
_LONGEST_URL: Final = 16 * 1024
"""Bytes of a query string that are read."""
_LONGEST_TYPE: Final = 1_024
"""Characters of Content-Type that are read."""


class ClientGone(Exception):
    """The client closed its connection before it had its answer."""


async def read_request(request: Request, *, longest: int) -> GraphQLRequest:
    """Read the request from the body of a POST, or else from the URL.

    Raises:
        BadRequest: it is not JSON by its type (415) or by its text (400), has a body of more than `longest` bytes (413)
            or too long a URL (414), or is no GraphQL request.
        ClientGone: the client left before it was through.
    """
    if request.method != "POST":
        return _from_url(request.scope["query_string"])
    _require_json(request.headers.get("content-type", ""))
    declared = request.headers.get("content-length", "")
    size = int(declared) if declared.isdecimal() else 0
    body, more = bytearray(), size <= longest
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += message.get("body", b"")
        more = message.get("more_body", False) and len(body) <= longest
    if max(size, len(body)) > longest:
        raise BadRequest(f"The body has more than {longest} bytes.", 413)
    return parse_request(_decode(bytes(body), "The body"))


def _from_url(query: bytes) -> GraphQLRequest:
    """Read the parameters of a URL; an empty parameter is an absent one."""
    if len(query) > _LONGEST_URL:
        raise BadRequest(f"The URL's query string has more than {_LONGEST_URL} bytes; send the request by POST.", 414)
    given = QueryParams(query)
    value: dict[str, Any] = {name: given[name] for name in _TEXTS if given.get(name)}
    value |= {name: _decode(given[name].encode(), f"'{name}'") for name in _OBJECTS if given.get(name)}
    return parse_request(value)


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


async def while_connected(work: Coroutine[Any, Any, T], receive: Receive) -> T:
    """Do the work, or cancel it as soon as the client is gone; anything that it sends after its body is dropped.

    Raises:
        ClientGone: the client disconnected.
    """
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_until_disconnect(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone
        return working.result()
    finally:
        leaving.cancel()
        working.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _until_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

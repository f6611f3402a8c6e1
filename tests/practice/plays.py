"""How each kind of provider answers when nothing is wrong: lists, pages, key checks and endpoints.

The shapes are those of OpenRouter, Requesty and the OpenAI-compatible servers; the error bodies as well. Every error
body holds MARKER, so that a test can prove that what upstream says reaches nobody.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal
from urllib.parse import quote

import orjson
from aiohttp import web

from tests.practice.rows import Row, openai_list, openrouter_endpoint, openrouter_list, requesty_list

MARKER = "inner-detail-of-the-upstream"
"""Stands in every error body and every garbled body; must reach no client and no log."""

Envelope = Literal["data", "models", "items", "array", "null"]
Change = Callable[[list[Row]], list[Any]]

_CACHED_BODIES = 64


@dataclass(slots=True)
class Provider:
    """What one played provider serves; a test may set the fields between requests."""

    name: str
    rows: list[Row]
    """Replaced as a whole by PracticeUpstream.set_list, never changed in place: its encoding is kept."""
    keys: Mapping[str, list[Row] | None] = field(default_factory=dict)
    """The valid keys, each with the list it may see; None means the public list."""
    key_required: bool = False
    envelope: Envelope = "data"
    page_size: int | None = None
    """How many rows OpenRouter puts on a page when the caller names no limit; None means all."""
    endpoints: dict[str, list[Row]] = field(default_factory=dict)
    etags: bool = True
    echoes: tuple[str, ...] = ()
    """The request's headers whose values are repeated in ids, names, messages and headers of every answer."""
    bodies: dict[object, tuple[bytes, str]] = field(default_factory=dict)
    """Encoded bodies with their ETags, so that a big list is encoded once."""


def provider(name: str) -> Provider:
    """Give a provider its usual list by its name; a name of one's own is an OpenAI-compatible server."""
    lists = {"openrouter": openrouter_list, "requesty": requesty_list}
    return Provider(name, lists.get(name, openai_list)())


def answer(played: Provider, request: web.Request, path: str, change: Change | None = None) -> web.Response:
    """Answer one request as the provider would, its rows changed first where a fault says so."""
    plays = {"openrouter": _openrouter, "requesty": _requesty}
    return plays.get(played.name, _openai_compatible)(played, request, path, change)


def failure(played: Provider, status: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """Give an error body in the provider's own shape."""
    said = f"{message} ({MARKER})"
    bodies: dict[str, Row] = {
        "openrouter": {"error": {"code": status, "message": said}},
        "requesty": {"error": {"origin": "router", "message": said}},
    }
    usual = {"error": {"message": said, "type": "error", "param": None, "code": str(status)}}
    body = orjson.dumps(bodies.get(played.name, usual))
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)


def echoed(played: Provider, request: web.Request, response: web.Response) -> web.Response:
    """Give the answer of a provider that repeats secrets, in every spelling, wherever a body or header can hold one."""
    for value in (request.headers[name] for name in played.echoes if name in request.headers):
        secret = value.rpartition(" ")[2]
        body = response.body if isinstance(response.body, bytes) else b""
        for name, spelt in _spellings(secret).items():
            body = body.replace(b'"%s":"' % name, b'"%s":"%s-' % (name, spelt))
        response.body = body
        response.headers.update({"ETag": f'W/"{secret}"', "X-Echo": value, "Retry-After": value})
        if "Location" in response.headers:
            response.headers["Location"] += f"?key={quote(secret)}"
    return response


def _spellings(secret: str) -> dict[bytes, bytes]:
    """Give the ways in which JSON can hold a secret, each for a field of its own."""
    plain = orjson.dumps(secret)[1:-1]
    return {
        b"id": plain,
        b"name": b"".join(b"\\u%04x" % ord(sign) for sign in secret),
        b"description": quote(secret, safe="").encode(),
        b"message": plain.replace(b"/", rb"\/"),
    }


def bearer(request: web.Request) -> str | None:
    """Give the key that a request carries, if any."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key if scheme.lower() == "bearer" and key else None


def _openrouter(played: Provider, request: web.Request, path: str, change: Change | None) -> web.Response:
    key = bearer(request)
    if path == "/api/v1/key":
        if key not in played.keys:
            return failure(played, 401, "User not found.")
        return _json(played, ("key", key), {"data": {"label": "practice", "limit": None, "rate_limit": None}})
    if path.startswith("/api/v1/models/") and path.endswith("/endpoints"):
        slug = path.removeprefix("/api/v1/models/").removesuffix("/endpoints")
        return _openrouter_endpoints(played, slug)
    if path != "/api/v1/models":
        return failure(played, 404, "Not found.")
    return _openrouter_page(played, request, _seen_by(played, key), change)


def _openrouter_page(played: Provider, request: web.Request, rows: list[Row], change: Change | None) -> web.Response:
    def body() -> Row:
        wanted = request.query.get("output_modalities", "text")
        shown: list[Any] = [
            row for row in rows if wanted == "all" or wanted in row["architecture"]["output_modalities"]
        ]
        shown = change(shown) if change else shown
        offset = int(request.query.get("offset", 0))
        limit = int(request.query.get("limit", played.page_size or len(shown)))
        after = offset + limit
        onward = request.url.update_query(offset=str(after), limit=str(limit))
        more = str(onward) if after < len(shown) else None
        return {"data": shown[offset:after], "total_count": len(shown), "links": {"next": more}}

    return _json(played, (request.path_qs, played.page_size, bearer(request), change), body)


def _openrouter_endpoints(played: Provider, slug: str) -> web.Response:
    row = next((row for row in played.rows if slug in {row["id"], row["canonical_slug"]}), None)
    if row is None:
        return failure(played, 404, "Model not found.")
    usual = [openrouter_endpoint(row["id"], "Acme"), openrouter_endpoint(row["id"], "Borealis", status=-2)]
    stated = {name: row[name] for name in ("id", "name", "created", "description", "architecture")}
    return _json(played, None, {"data": stated | {"endpoints": played.endpoints.get(row["id"], usual)}})


def _requesty(played: Provider, request: web.Request, path: str, change: Change | None) -> web.Response:
    key = bearer(request)
    if key is not None and key not in played.keys:
        return failure(played, 403, "Invalid token.")
    if path == "/v1/auth/check":
        if key is None:
            return failure(played, 401, "Missing Authorization header.")
        return _json(played, ("check", key), {"status": "ok"})
    if path != "/v1/models":
        return failure(played, 404, "Not found.")
    return _list(played, _seen_by(played, key), key, change)


def _openai_compatible(played: Provider, request: web.Request, path: str, change: Change | None) -> web.Response:
    key = bearer(request)
    if key not in played.keys and (played.key_required or (key is not None and played.keys)):
        return failure(played, 401, "Incorrect API key provided.")
    if path != "/v1/models":
        return failure(played, 404, "Not found.")
    return _list(played, _seen_by(played, key), key, change)


def _list(played: Provider, rows: list[Row], key: str | None, change: Change | None) -> web.Response:
    def body() -> Any:
        shown = change(rows) if change else rows
        match played.envelope:
            case "array":
                return shown
            case "null":
                return {"object": "list", "data": None}
            case "items":
                return {"items": shown, "pagination": {"page": 1, "perPage": len(shown), "total": len(shown)}}
            case name:
                return {"object": "list", name: shown}

    return _json(played, (played.envelope, key, change), body)


def _seen_by(played: Provider, key: str | None) -> list[Row]:
    approved = played.keys.get(key) if key else None
    return played.rows if approved is None else approved


def _json(played: Provider, name: object, body: Any) -> web.Response:
    if name is None:
        return web.Response(body=orjson.dumps(body), content_type="application/json")
    if name not in played.bodies:
        if len(played.bodies) >= _CACHED_BODIES:
            played.bodies.clear()
        encoded = orjson.dumps(body() if callable(body) else body)
        played.bodies[name] = encoded, f'W/"{sha256(encoded).hexdigest()[:32]}"'
    encoded, etag = played.bodies[name]
    response = web.Response(body=encoded, content_type="application/json")
    if played.etags:
        response.headers["ETag"] = etag
    return response

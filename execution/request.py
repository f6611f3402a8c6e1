"""A GraphQL request, read from decoded JSON; the same for HTTP, SSE and WebSocket."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SHA256 = re.compile(r"[0-9a-f]{64}")


class BadRequest(Exception):
    """The request is malformed; `status` is the HTTP status (400 to 422), and `message` is safe to show."""

    def __init__(self, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """An operation to run: the text of a document, or the hash of a known one, and the inputs."""

    query: str | None
    variables: Mapping[str, object] | None = None
    operation_name: str | None = None
    document_hash: str | None = None
    """SHA-256 of the text in lower-case hex, from `extensions.persistedQuery` or `documentId`."""


def parse_request(value: object) -> GraphQLRequest:
    """Read a request; unknown properties are ignored, and null counts as absent.

    Raises:
        BadRequest: a property has the wrong type, or there is neither a document nor a hash.
    """
    if not isinstance(value, Mapping):
        raise BadRequest("A GraphQL request must be one JSON object. Batches are not supported.")
    query = _text(value, "query")
    document_hash = _persisted(_object(value, "extensions")) or _document_id(value)
    if query is None and document_hash is None:
        raise BadRequest("The request has no 'query'.")
    return GraphQLRequest(
        query=query,
        variables=_object(value, "variables"),
        operation_name=_text(value, "operationName"),
        document_hash=document_hash,
    )


def _text(value: Mapping[str, Any], name: str) -> str | None:
    found = value.get(name)
    if found is None or isinstance(found, str):
        return found
    raise BadRequest(f"'{name}' must be a string.")


def _object(value: Mapping[str, Any], name: str) -> Mapping[str, object] | None:
    found = value.get(name)
    if found is None or isinstance(found, Mapping):
        return found
    raise BadRequest(f"'{name}' must be an object.")


def _persisted(extensions: Mapping[str, object] | None) -> str | None:
    """The hash in Apollo's automatic persisted queries: `persistedQuery {version: 1, sha256Hash}`."""
    persisted = (extensions or {}).get("persistedQuery")
    if persisted is None:
        return None
    if not isinstance(persisted, Mapping) or persisted.get("version") != 1:
        raise BadRequest("'extensions.persistedQuery' must be an object with version 1.")
    return _hash(persisted.get("sha256Hash"), "extensions.persistedQuery.sha256Hash")


def _document_id(value: Mapping[str, Any]) -> str | None:
    found = _text(value, "documentId")
    return None if found is None else _hash(found.removeprefix("sha256:"), "documentId")


def _hash(found: object, name: str) -> str:
    if isinstance(found, str) and _SHA256.fullmatch(found.lower()):
        return found.lower()
    raise BadRequest(f"'{name}' must be a SHA-256 hash in hex.")

"""A GraphQL request, read from decoded JSON; the same for HTTP, SSE and WebSocket."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from catalogue.errors import BadUserInput

_SHA256 = re.compile(r"[0-9a-f]{64}")
_TYPES: Final[Mapping[str, type]] = {
    "query": str,
    "extensions": Mapping,
    "documentId": str,
    "variables": Mapping,
    "operationName": str,
}


class BadRequest(BadUserInput):
    """The request is malformed; `status` is the HTTP status, 400 to 422."""

    def __init__(self, message: str, status: int = 422) -> None:
        super().__init__(message)
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
    for name, kind in _TYPES.items():
        if not isinstance(value.get(name), kind | None):
            raise BadRequest(f"'{name}' must be {'a string' if kind is str else 'an object'}.")
    document_hash = _document_hash(value)
    if value.get("query") is None and document_hash is None:
        raise BadRequest("The request has no 'query'.")
    return GraphQLRequest(
        query=value.get("query"),
        variables=value.get("variables"),
        operation_name=value.get("operationName"),
        document_hash=document_hash,
    )


def _document_hash(value: Mapping[str, Any]) -> str | None:
    """The hash in `documentId`, or in Apollo's persisted queries: `persistedQuery {version: 1, sha256Hash}`."""
    name, persisted = "extensions.persistedQuery", (value.get("extensions") or {}).get("persistedQuery")
    if persisted is not None:
        if not isinstance(persisted, Mapping) or persisted.get("version") != 1:
            raise BadRequest(f"'{name}' must be an object with version 1.")
        name, found = f"{name}.sha256Hash", persisted.get("sha256Hash")
    elif value.get("documentId") is not None:
        name, found = "documentId", value["documentId"].removeprefix("sha256:")
    else:
        return None
    if not isinstance(found, str) or not _SHA256.fullmatch(found.lower()):
        raise BadRequest(f"'{name}' must be a SHA-256 hash in hex.")
    return found.lower()

"""Documents known by the SHA-256 of their text: kept on request as Apollo does, or a fixed list of all that may run."""

import hashlib
from collections.abc import Mapping

from cachetools import LRUCache

from catalogue.errors import ClientError
from execution.request import GraphQLRequest

_CHARACTERS = 1024 * 1024
"""Of all texts that are kept."""
_SHORTEST = 512
"""Characters that a shorter text counts as, so that at most 2,048 are kept."""
_LONGEST = 64 * 1024
"""Characters of a text that is kept: longer ones are nearly all comment, and would drive out those of others."""


class DocumentNotFound(ClientError):
    """No text is known for this hash; the client sends it once more together with the text."""

    code = "PERSISTED_QUERY_NOT_FOUND"


class DocumentNotAllowed(ClientError):
    """Only the documents that the operator listed may run."""

    code = "PERSISTED_QUERY_ONLY"


class HashMismatch(ClientError):
    """The hash is not that of the text."""

    code = "BAD_USER_INPUT"


class PersistedDocuments:
    """Finds the text of a request; with an allow-list (hash to text) only listed documents have one."""

    def __init__(self, allowed: Mapping[str, str] | None = None) -> None:
        self._allowed = allowed
        self._kept: LRUCache[str, str] = LRUCache(_CHARACTERS, getsizeof=lambda text: max(len(text), _SHORTEST))

    def text(self, request: GraphQLRequest) -> str:
        """Find the document's text.

        Raises:
            DocumentNotFound: the hash is unknown and the request brings no text.
            DocumentNotAllowed: there is an allow-list, and it does not hold the document.
            HashMismatch: the request brings a text of another hash.
        """
        if request.query is None:
            return self._known(request.document_hash or "")
        if request.document_hash is None and self._allowed is None:
            return request.query
        digest = hashlib.sha256(request.query.encode()).hexdigest()
        if request.document_hash not in (None, digest):
            raise HashMismatch("The sent hash is not the SHA-256 of the sent query.")
        if self._allowed is not None and digest not in self._allowed:
            raise DocumentNotAllowed("This server runs listed documents only.")
        return request.query

    def keep(self, request: GraphQLRequest) -> None:
        """Remember a text that came with its hash, once it has proved to be a valid document."""
        text, digest = request.query, request.document_hash
        if text is not None and digest is not None and self._allowed is None and len(text) <= _LONGEST:
            self._kept[digest] = text

    def _known(self, digest: str) -> str:
        found = self._kept.get(digest) if self._allowed is None else self._allowed.get(digest)
        if found is None:
            raise DocumentNotFound("PersistedQueryNotFound")
        return found

"""Persisted documents, by the SHA-256 of their text: Apollo's automatic persisted queries, or a fixed allow-list."""

import hashlib
from collections.abc import Mapping

from cachetools import LRUCache

from catalogue.errors import BadUserInput, ClientError
from execution.request import GraphQLRequest

_CHARACTERS = 1024 * 1024
"""Total size of the stored texts."""
_SHORTEST = 512
"""Characters that a shorter text counts as, so that at most 2,048 texts are stored."""
_LONGEST = 64 * 1024
"""Characters of a stored text; longer ones are mostly comments, and would push out those of other clients."""


class DocumentNotFound(ClientError):
    """The hash is unknown; the client sends it again with the text."""

    code = "PERSISTED_QUERY_NOT_FOUND"


class DocumentNotAllowed(ClientError):
    """The document is not on the operator's allow-list."""

    code = "PERSISTED_QUERY_ONLY"


class PersistedDocuments:
    """Finds the texts of requests; with an allow-list (hash to text), only of listed documents."""

    def __init__(self, allowed: Mapping[str, str] | None = None) -> None:
        self._allowed = allowed
        self._kept: LRUCache[str, str] = LRUCache(_CHARACTERS, getsizeof=lambda text: max(len(text), _SHORTEST))

    def text(self, request: GraphQLRequest) -> str:
        """Find the text of the document.

        Raises:
            DocumentNotFound: the hash is unknown, and the request has no text.
            DocumentNotAllowed: the document is not on the allow-list.
            BadUserInput: the hash does not match the text.
        """
        if request.query is None:
            known = self._kept if self._allowed is None else self._allowed
            text = known.get(request.document_hash or "")
            if text is None:
                raise DocumentNotFound("PersistedQueryNotFound")
            return text
        if request.document_hash is None and self._allowed is None:
            return request.query
        digest = hashlib.sha256(request.query.encode()).hexdigest()
        if request.document_hash not in (None, digest):
            raise BadUserInput("The hash is not the SHA-256 of the query.")
        if self._allowed is not None and digest not in self._allowed:
            raise DocumentNotAllowed("This server runs only documents on its allow-list.")
        return request.query

    def keep(self, digest: str, text: str) -> None:
        """Store a text that was sent with its hash; call this only with valid documents."""
        if self._allowed is None and len(text) <= _LONGEST:
            self._kept[digest] = text

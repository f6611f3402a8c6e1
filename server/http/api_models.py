"""`GET /api/models`: the catalogue, or a part of it, as one JSON document that browsers and proxies may keep."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import KW_ONLY, dataclass, field
from enum import Enum
from typing import Final, TypeVar

from cachetools import LRUCache
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from catalogue.errors import BadUserInput
from catalogue.ports.on_demand import Overlay
from catalogue.scope import Scope
from catalogue.selection import Criteria
from catalogue.snapshot import Snapshot
from catalogue.vocabulary import Capability, ModelStatus
from execution.errors import ErrorReporter, client_error
from resolvers.context import Context
from resolvers.refresh import refresh
from resolvers.services import Services
from server.http.error_responses import error_response
from server.http.models_document import ModelsDocument, ModelsDocuments
from server.http.web_rules import PRIVATE, PUBLIC, holds

E = TypeVar("E", bound=Enum)

_VARY: Final = "Authorization, X-Provider-Keys"
_PARAMETERS: Final = ("provider", "capability", "status", "force")
_LONGEST_QUERY: Final = 4_096
_MOST_BYTES: Final = 64 * 1024 * 1024
"""Of all documents that are kept of one snapshot."""
_LEAST_BYTES: Final = 1024 * 1024
"""What a smaller document counts as, so that at most 64 are kept."""


def _no_documents() -> LRUCache[Criteria, ModelsDocument]:
    return LRUCache(_MOST_BYTES, getsizeof=lambda document: max(len(document.body), _LEAST_BYTES))


@dataclass(slots=True)
class ModelsEndpoint:
    """Answers requests for the document; `scope_of` identifies the caller, `admit` is entered around the request.

    `report` logs unexpected errors.
    """

    services: Services
    _: KW_ONLY
    scope_of: Callable[[HTTPConnection], Scope]
    report: ErrorReporter
    admit: Callable[[Scope], AbstractAsyncContextManager[None]] = lambda _: nullcontext()
    _kept: LRUCache[Criteria, ModelsDocument] = field(default_factory=_no_documents, init=False)
    _kept_of: Snapshot | None = field(default=None, init=False)
    _documents: ModelsDocuments = field(default_factory=ModelsDocuments, init=False)
    _making: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        try:
            scope = self.scope_of(request)
            async with self.admit(scope):
                return await self._answer(request, Context(scope, self.services))
        except Exception as error:  # noqa: BLE001 - every crash is reported, and masked for the client
            return error_response(client_error(error, self.report))

    async def _answer(self, request: Request, context: Context) -> Response:
        criteria = _criteria(request)
        forced = _force(request) and request.method != "HEAD"
        if forced:
            await refresh(context, criteria.providers, force=True)
        overlay = await context.overlay()
        if forced or context.private:
            own = await asyncio.to_thread(ModelsDocuments().present, overlay, criteria)
            return _json(own.body, 200, {"cache-control": PRIVATE})
        document = await self._public(overlay, criteria)
        headers = {"etag": document.tag, "cache-control": PUBLIC}
        if holds(request, document.tag):
            return Response(None, 304, {**headers, "vary": _VARY})
        return _json(document.body, 200, headers)

    async def _public(self, overlay: Overlay, criteria: Criteria) -> ModelsDocument:
        """The document, made once a snapshot, in a thread so that other requests go on.

        Documents are made one after the other, so that simultaneous requests for the same one share it.
        """
        snapshot = overlay.snapshot
        if snapshot is not self._kept_of:
            self._kept, self._kept_of = _no_documents(), snapshot
        kept = self._kept
        if (made := kept.get(criteria)) is not None:
            return made
        async with self._making:
            document = kept.get(criteria)
            if document is None:
                document = await asyncio.to_thread(self._documents.present, overlay, criteria)
                if len(document.body) <= _MOST_BYTES:
                    kept[criteria] = document
        return document


def _criteria(request: Request) -> Criteria:
    if len(request.scope["query_string"]) > _LONGEST_QUERY:
        raise BadUserInput(f"The parameters have more than {_LONGEST_QUERY} characters together.")
    for name in request.query_params:
        if name not in _PARAMETERS:
            raise BadUserInput(f"Unknown parameter {name[:80]!r}. Known: {', '.join(_PARAMETERS)}.")
    return Criteria(
        providers=frozenset(_values(request, "provider")),
        capabilities=frozenset(_words(request, "capability", Capability)),
        statuses=frozenset(_words(request, "status", ModelStatus)),
    )


def _values(request: Request, name: str) -> list[str]:
    """The values of a parameter, repeated or separated by commas."""
    return [word for value in request.query_params.getlist(name) for word in value.split(",") if word]


def _words(request: Request, name: str, vocabulary: type[E]) -> Iterable[E]:
    known = {str(member.value): member for member in vocabulary}
    for word in _values(request, name):
        if word.lower() not in known:
            raise BadUserInput(f"Unknown {name} {word[:80]!r}. Known: {', '.join(known)}.")
        yield known[word.lower()]


def _force(request: Request) -> bool:
    value = request.query_params.get("force", "false").lower()
    if value not in {"true", "false"}:
        raise BadUserInput("Parameter 'force' is true or false.")
    return value == "true"


def _json(body: bytes, status: int, headers: Mapping[str, str]) -> Response:
    return Response(body, status, {"vary": _VARY, **headers}, media_type="application/json")

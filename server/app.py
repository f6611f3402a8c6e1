"""The ASGI application: the routes over the running parts, behind the web's rules and the clients' limits."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from importlib.resources import files

import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route, Router, WebSocketRoute
from starlette.types import ASGIApp

from catalogue.scope import Scope
from execution.catalogue_size import CatalogueSize
from execution.errors import crash
from execution.executor import Executor
from execution.persisted import PersistedDocuments
from resolvers.context import Context
from resolvers.position import event_id
from resolvers.schema import build_schema
from resolvers.services import Services
from server.callers.caller import Callers
from server.callers.client_limits import ClientLimits
from server.composition import Parts
from server.config.settings import Settings
from server.http.api_models import ModelsEndpoint
from server.http.client_gate import GRAPHQL, ClientGate
from server.http.error_responses import json_error
from server.http.graphql_http import GraphQLEndpoint
from server.http.graphql_ws import websocket_endpoint
from server.http.origins import Origins
from server.http.socket_service import SocketLimits, SocketService
from server.http.web_rules import Preflights, WebRules

_LIVE, _READY = "/livez", "/readyz"
_HEALTH = frozenset({_LIVE, _READY})
_WELCOME = """The model catalogue.

GraphQL    POST or GET /graphql, subscriptions by graphql-transport-ws or text/event-stream
JSON       GET /api/models
Health     GET /livez, GET /readyz
"""

log = structlog.get_logger(__name__)


def application(
    parts: Parts,
    *,
    settings: Settings,
    callers: Callers,
    limits: ClientLimits,
    allowed: Mapping[str, str] | None = None,
) -> ASGIApp:
    """Everything that the server answers; `allowed` are the only documents that may run, by hash."""
    origins = Origins(frozenset(settings.cors_origins), settings.trusted_proxies)
    executor = _executor(parts.services, settings, allowed)
    graphql = GraphQLEndpoint(
        executor,
        scope_of=callers.of_request,
        report=_report,
        admit=lambda scope: limits.request(scope.client),
        admit_stream=lambda scope: limits.subscription(scope.client),
        stopping=lambda: parts.feed.closed,
        longest_body=settings.limits.body_bytes,
    )
    models = ModelsEndpoint(
        parts.services, scope_of=callers.of_request, admit=lambda scope: limits.request(scope.client)
    )
    routes = [
        Route(GRAPHQL, graphql),
        WebSocketRoute(GRAPHQL, websocket_endpoint(_sockets(executor, settings, callers, limits), origins=origins)),
        Route("/api/models", _masked(models.answer), methods=["GET"]),
        *_pages(graphiql=settings.graphiql),
    ]
    # Redirects would lead to the scheme and host that the caller names.
    preflighted = Preflights(Router(routes, redirect_slashes=False), origins=origins)
    return WebRules(ClientGate(preflighted, callers=callers, limits=limits, uncounted=_HEALTH), origins=origins)


def _executor(services: Services, settings: Settings, allowed: Mapping[str, str] | None) -> Executor[Scope]:
    return Executor(
        build_schema(),
        limits=settings.limits.document(introspection=settings.introspection, suggestions=settings.suggestions),
        context=lambda scope: Context(scope, services),
        catalogue_size=lambda: CatalogueSize.of(services.reader.snapshot),
        report=_report,
        event_id=event_id,
        persisted=PersistedDocuments(allowed),
    )


def _sockets(
    executor: Executor[Scope], settings: Settings, callers: Callers, limits: ClientLimits
) -> SocketService[Scope]:
    return SocketService(
        executor=executor,
        scope_of_socket=callers.of_socket,
        report=_report,
        limits=SocketLimits(
            init_seconds=settings.limits.socket_init_seconds, operations=settings.limits.socket_operations
        ),
        admit=lambda scope: limits.operation(scope.client),
    )


def _pages(*, graphiql: bool) -> Iterator[Route]:
    """The routes of fixed answers."""
    yield Route(_LIVE, PlainTextResponse("alive\n"), methods=["GET"])
    # The application only runs over a loaded snapshot, and leaves the port when it stops.
    yield Route(_READY, PlainTextResponse("ready\n"), methods=["GET"])
    yield Route("/", PlainTextResponse(_WELCOME), methods=["GET"])
    if graphiql:
        yield Route("/graphiql", _graphiql(), methods=["GET"])


def _report(error: Exception, error_id: str) -> None:
    log.error("unexpected_error", id=error_id, exc_info=error)


def _masked(answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Answer a crash with the id under which it was logged."""

    async def answer_or_mask(request: Request) -> Response:
        try:
            return await answer(request)
        except Exception as error:  # noqa: BLE001 - every crash is reported, and masked for the client
            crashed = crash(error, _report)
            return json_error(crashed["message"], crashed["extensions"], 500)

    return answer_or_mask


def _graphiql() -> Response:
    page = files("strawberry").joinpath("static/graphiql.html").read_text()
    page = page.replace('window.location.href.split("?")[0]', 'new URL("/graphql", window.location.href).href')
    # The page brings its code from another host: the operator who switches it on accepts that.
    policy = "default-src 'self' https: 'unsafe-inline'; connect-src 'self' ws: wss:; frame-ancestors 'none'"
    return HTMLResponse(page, headers={"Content-Security-Policy": policy})

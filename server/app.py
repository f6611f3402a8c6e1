"""The ASGI application: the routes over the running parts, behind the web's rules and the clients' limits."""

from collections.abc import Iterator, Mapping
from functools import partial
from importlib.resources import files

import structlog
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route, Router, WebSocketRoute
from starlette.types import ASGIApp

from catalogue.scope import Scope
from execution.cost import CatalogueSize
from execution.executor import Executor
from execution.persisted import PersistedDocuments
from resolvers.changes import event_id
from resolvers.context import Context
from resolvers.schema import build_schema
from resolvers.services import Services
from server.callers.caller import Callers
from server.callers.client_limits import ClientLimits
from server.composition import Parts
from server.config.settings import Settings
from server.http.api_models import ModelsEndpoint
from server.http.client_gate import GRAPHQL, ClientGate
from server.http.graphql_http import GraphQLEndpoint
from server.http.origins import Origins
from server.http.socket_service import SocketLimits, SocketService
from server.http.ws_connection import websocket_endpoint

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
        admit=limits.request,
        admit_stream=limits.subscription,
        stopping=lambda: parts.feed.closed,
        longest_body=settings.limits.body_bytes,
    )
    models = ModelsEndpoint(parts.services, scope_of=callers.of_request, report=_report, admit=limits.request)
    routes = [
        Route(GRAPHQL, graphql),
        WebSocketRoute(GRAPHQL, websocket_endpoint(_sockets(executor, settings, callers, limits), origins=origins)),
        Route("/api/models", models.answer, methods=["GET"]),
        *_pages(graphiql=settings.graphiql),
    ]
    # Redirects would lead to the scheme and host that the caller names.
    answering = Router(routes, redirect_slashes=False)
    return ClientGate(answering, callers=callers, limits=limits, origins=origins, uncounted=_HEALTH)


def _executor(services: Services, settings: Settings, allowed: Mapping[str, str] | None) -> Executor[Scope]:
    return Executor(
        build_schema(),
        limits=settings.limits.document(introspection=settings.introspection, suggestions=settings.suggestions),
        context=partial(Context, services=services),
        catalogue_size=partial(CatalogueSize.of, services.reader),
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
        admit=limits.operation,
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


def _graphiql() -> Response:
    page = files("strawberry").joinpath("static/graphiql.html").read_text()
    page = page.replace('window.location.href.split("?")[0]', 'new URL("/graphql", window.location.href).href')
    # The page brings its code from another host: the operator who switches it on accepts that.
    policy = "default-src 'self' https: 'unsafe-inline'; connect-src 'self' ws: wss:; frame-ancestors 'none'"
    return HTMLResponse(page, headers={"Content-Security-Policy": policy})

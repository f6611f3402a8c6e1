"""Runs the server: uvicorn with the application, from opening the store to a clean shutdown."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from socket import socket

import stamina
import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp

from catalogue.ports.errors import StoreConflict, StoreUnusable
from server import collector
from server.app import application
from server.callers.addresses import LOOPBACK
from server.callers.caller import Callers
from server.callers.client_limits import ClientLimits
from server.callers.refusals import Refusals
from server.command.operations import DOCUMENTS
from server.composition import running
from server.config.allowed_documents import allowed_documents
from server.config.configuration import ConfigurationError
from server.config.data_folder import DataFolderLock, lock_data_folder
from server.config.generated_secrets import ADMIN_FILE, admin_tokens, generated, hashing_secret, restore
from server.config.settings import Settings
from server.config.upstreams import upstreams, warn_of_unset_keys
from server.logging import configure
from server.redaction import Redactor
from server.wire.connection_limits import ConnectionLimits
from server.wire.uvicorn_options import uvicorn_options

DRAIN_SECONDS = 5.0
"""Seconds that a stopping server waits for responses in progress; open streams are closed after that."""
_SWITCH_SECONDS = 0.001
"""Seconds after which a busy thread hands the GIL to the event loop; Python's default of 5 ms adds up in a response."""

log = structlog.get_logger(__name__)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; raises ConfigurationError if a setting cannot be used as configured."""
    redactor = Redactor()
    configure(settings.log_format, settings.log_level, redactor)
    stamina.instrumentation.set_on_retry_hooks([])  # the coordinator logs an outage once
    sys.setswitchinterval(_SWITCH_SECONDS)
    with lock_data_folder(settings.data_dir) as lock:
        uvloop.run(_serve(settings, redactor, lock))


async def _serve(settings: Settings, redactor: Redactor, lock: DataFolderLock) -> None:
    providers = upstreams(settings, os.environ)
    allowed = allowed_documents(settings.allowed_documents, own=DOCUMENTS)
    secret, tokens = hashing_secret(settings), admin_tokens(settings)
    redactor.register([secret, *settings.secrets(), *(t.plain for t in tokens if t.plain)])
    redactor.register(u.key for u in providers if u.key)
    warn_of_unset_keys(settings, os.environ)
    if not settings.admin_tokens:
        log.info("admin_token", file=str(settings.data_dir / ADMIN_FILE))
    claim = partial(lock.renew, partial(restore, settings.data_dir, generated(settings, secret, tokens)))
    limits = ClientLimits(settings.limits, exempt_loopback=settings.exempts_loopback)
    try:
        async with running(settings, providers, secret=secret, limits=limits, claim=claim) as parts:
            callers = Callers(
                tokens=tokens,
                providers=frozenset(u.id for u in providers),
                proxies=settings.trusted_proxies,
                limits=limits,
                secret=secret,
                audit=parts.services.audit,
            )
            app = application(parts, settings=settings, callers=callers, limits=limits, allowed=allowed)
            await _Server(_config(app, settings, limits.refusals), on_stop=parts.end_streams).serve()
    except (StoreUnusable, StoreConflict) as error:
        raise ConfigurationError(f"data_dir: {error}") from None


def _config(app: ASGIApp, settings: Settings, refusals: Refusals) -> uvicorn.Config:
    limits = settings.limits
    local = LOOPBACK if settings.exempts_loopback else ()
    connections = ConnectionLimits(
        head=limits.head_seconds,
        body=limits.arrival_seconds,
        keep_alive=limits.idle_seconds,
        message_bytes=limits.socket_message_bytes,
        shutdown=DRAIN_SECONDS,
        exempt=(*local, *settings.trusted_proxies),
    )
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        **uvicorn_options(connections, refusals),
    )


class _Server(uvicorn.Server):
    """Prints the address once the server listens, and ends event streams on shutdown."""

    def __init__(self, config: uvicorn.Config, *, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Listen."""
        collector.settle()
        try:
            await super().startup(sockets=sockets)
        except SystemExit:  # uvicorn logs the reason and exits without a message
            where = f"{self.config.host}:{self.config.port}"
            raise ConfigurationError(f"host and port: {where} is not available; free it or set others.") from None
        for listening in chain.from_iterable(server.sockets for server in self.servers):
            host, port = listening.getsockname()[:2]
            url = f"http://{f'[{host}]' if ':' in host else host}:{port}/graphql"
            print(f"Model catalogue at {url}", flush=True)  # noqa: T201 - for the operator

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Stop: end the streams, and wait for responses in progress."""
        # After uvicorn has closed the WebSockets: a stream that ends earlier looks complete to its client.
        asyncio.get_running_loop().call_soon(self._on_stop)
        await super().shutdown(sockets=sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on a signal; uvicorn would raise it again and end the process before the store is closed."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()

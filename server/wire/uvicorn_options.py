"""The options under which uvicorn keeps to the limits of connections."""

from typing import Any

import uvicorn

from server.callers.refusals import Refusals
from server.wire.connection_limits import ConnectionLimits
from server.wire.open_connections import OpenConnections
from server.wire.uvicorn_protocol import PunctualHttp
from server.wire.uvicorn_websocket import PunctualWebSocket

WRITTEN_FOR = "0.54.0"


def uvicorn_options(limits: ConnectionLimits, refusals: Refusals | None = None) -> dict[str, Any]:
    """Keyword arguments for `uvicorn.Config`; `refusals` are the application's.

    Raises:
        RuntimeError: the protocols were written for another version of uvicorn, whose private attributes they use.
    """
    if uvicorn.__version__ != WRITTEN_FOR:
        raise RuntimeError(
            f"server/wire was written for uvicorn {WRITTEN_FOR}, not {uvicorn.__version__}: "
            "read uvicorn's changes, run tests/server, then change WRITTEN_FOR."
        )
    shared = {"limits": limits, "opened": OpenConnections(limits), "refusals": refusals or Refusals()}
    return {
        "http": type("HttpProtocol", (PunctualHttp,), {**shared, "crowd": OpenConnections(limits)}),
        "ws": type("WebSocketProtocol", (PunctualWebSocket,), shared),
        "ws_max_size": limits.message_bytes,
        "ws_ping_interval": limits.ping_interval,
        "ws_ping_timeout": limits.ping_timeout,
        "ws_per_message_deflate": False,
        "timeout_keep_alive": limits.keep_alive,
        "timeout_graceful_shutdown": limits.shutdown,
        "server_header": False,
    }

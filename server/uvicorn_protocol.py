"""Connections that come to an end: uvicorn's HTTP and WebSocket protocols with a deadline for every silence.

uvicorn waits for ever for slow headers, slow bodies, first requests that never come, and for the buffers of peers that
stopped reading; its only clock is keep-alive. The subclasses here add the missing clocks and nothing else. They lean on
attributes that uvicorn does not promise to keep, so they refuse to run with any version but the one they were read
against.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, ClassVar

import uvicorn
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

WRITTEN_FOR = "0.54.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """How long a connection may be silent and how much it may send; times in seconds, sizes in bytes."""

    head: float = 15.0
    """From the connection, or a request's first byte, to the end of its headers."""
    head_bytes: int = 65_536
    """Request line and headers; what arrives in the first read comes on top."""
    body: float = 30.0
    """From the end of the headers to the end of the body."""
    keep_alive: float = 15.0
    """From an answer to the first byte of the next request."""
    stall: float = 10.0
    """How long an HTTP peer may take less than `slowest_reader` while an answer waits for it."""
    slowest_reader: int = 512
    """Bytes per second that a peer must take."""
    ping_interval: float = 10.0
    """From a WebSocket's last sign of life to the server's ping."""
    ping_timeout: float = 15.0
    """From that ping to the pong. A pong waits behind what the peer has not read, so this drops slow readers too."""
    close_grace: float = 5.0
    """How long a WebSocket peer may take to answer a close frame."""
    message_bytes: int = 262_144
    """One WebSocket message; a larger one closes the socket with 1009."""
    shutdown: float = 10.0
    """How long a stopping server waits for answers under way."""


class PunctualHttp(HttpToolsProtocol):
    """HTTP/1.1 whose requests arrive in time and whose peers take their answers."""

    limits: ClassVar[ConnectionLimits] = ConnectionLimits()

    _deadline: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None
    _in_head = False
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Expect a first request."""
        super().connection_made(transport)
        self._expect(self.limits.head)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop every clock."""
        self._forget_deadline()
        self._unwatch()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Keep the clock and the size of a request's head."""
        continues_head = self._in_head
        between_requests = self.cycle is None or self.cycle.response_complete
        if self._deadline is None and between_requests:
            self._expect(self.limits.head)
        super().data_received(data)
        if continues_head and self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self.limits.head_bytes:
                self._close()

    def on_message_begin(self) -> None:
        """Expect the headers."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        self._expect(self.limits.head)

    def on_headers_complete(self) -> None:
        """Expect the body."""
        self._in_head = False
        self._expect(self.limits.body)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Expect nothing while the request is answered."""
        self._forget_deadline()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Leave the connection to the WebSocket protocol."""
        self._forget_deadline()
        super().handle_websocket_upgrade()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection without a next request, once its peer has taken the last answer."""
        self._close()

    def pause_writing(self) -> None:
        """Watch a peer that reads more slowly than the answer is written."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """Trust the peer again."""
        super().resume_writing()
        if not self.transport.is_closing():
            self._unwatch()

    def _expect(self, seconds: float) -> None:
        self._forget_deadline()
        self._deadline = self.loop.call_later(seconds, self._close)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close(self) -> None:
        self.transport.close()
        self._watch()

    def _watch(self) -> None:
        if self._stall is None:
            left = self.transport.get_write_buffer_size()
            self._stall = self.loop.call_later(self.limits.stall, self._abort_if_stalled, left)

    def _unwatch(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _abort_if_stalled(self, before: int) -> None:
        self._stall = None
        taken = before - self.transport.get_write_buffer_size()
        if taken < self.limits.stall * self.limits.slowest_reader:
            self.transport.abort()
        else:
            self._watch()


class PunctualWebSocket(WebSocketsSansIOProtocol):
    """WebSocket whose close always ends the connection, whether or not the peer reads."""

    limits: ClassVar[ConnectionLimits] = ConnectionLimits()

    _abort: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        if self._abort is not None:
            self._abort.cancel()
        super().connection_lost(exc)

    async def send(self, message: ASGISendEvent) -> None:
        """Send, and after a close let the peer have its grace and no more.

        A close frame cannot be written while the peer reads nothing: without the clock this would wait for ever.
        """
        if message["type"] == "websocket.close":
            self._abort_later()
        await super().send(message)

    def shutdown(self) -> None:
        """Close with 1012 (service restart), on which clients connect anew."""
        super().shutdown()
        self._abort_later()

    def keepalive_timeout(self) -> None:
        """Drop a peer that did not answer a ping.

        No close frame: a peer that does not read gets none, and one that comes back after sleep takes the silent end
        (1006) as a reason to reconnect, where the 1011 that uvicorn sends tells clients to give up.
        """
        self.stop_keepalive()
        self.transport.abort()

    def handle_ping(self) -> None:
        """Answer a ping, but not without end to a peer that reads no answers."""
        if self.transport.get_write_buffer_size() > self.limits.message_bytes:
            self.transport.abort()
        else:
            super().handle_ping()

    def _abort_later(self) -> None:
        if self._abort is None:
            self._abort = self.loop.call_later(self.limits.close_grace, self.transport.abort)


def uvicorn_options(limits: ConnectionLimits) -> dict[str, Any]:
    """Keyword arguments for `uvicorn.Config` under which every connection keeps to the limits.

    Raises:
        RuntimeError: uvicorn is another version than the one that was read.
    """
    if uvicorn.__version__ != WRITTEN_FOR:
        raise RuntimeError(
            f"server/uvicorn_protocol.py was written for uvicorn {WRITTEN_FOR}, not {uvicorn.__version__}: "
            "read uvicorn's changes, run tests/protocols, then change WRITTEN_FOR."
        )
    return {
        "http": type("HttpProtocol", (PunctualHttp,), {"limits": limits}),
        "ws": type("WebSocketProtocol", (PunctualWebSocket,), {"limits": limits}),
        "ws_max_size": limits.message_bytes,
        "ws_ping_interval": limits.ping_interval,
        "ws_ping_timeout": limits.ping_timeout,
        "ws_per_message_deflate": False,
        "timeout_keep_alive": limits.keep_alive,
        "timeout_graceful_shutdown": limits.shutdown,
        "server_header": False,
    }

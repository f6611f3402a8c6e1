"""Connections that end: uvicorn's HTTP protocol with a deadline for every silence.

uvicorn waits for ever for slow headers, slow bodies, first requests that never come, and for the buffers of peers that
stopped reading; its only clock is keep-alive. The subclasses here add the missing clocks and nothing else. They, and
those they build on, lean on attributes that uvicorn does not promise to keep, so they refuse to run with any version
but the one they were read against.
"""

import asyncio
import socket
from typing import Any, ClassVar

import uvicorn

from server.callers.addresses import Peer
from server.callers.refusals import Refusals
from server.wire.connection_limits import ConnectionLimits
from server.wire.http_last_answer import HttpWithLastAnswer
from server.wire.open_connections import OpenConnections
from server.wire.uvicorn_websocket import PunctualWebSocket

WRITTEN_FOR = "0.54.0"


class _TooManyWaitingError(Exception):
    """More requests wait on a connection than it may have."""


class PunctualHttp(HttpWithLastAnswer):
    """HTTP/1.1 whose requests arrive in time and whose peers take their answers."""

    crowd: ClassVar[OpenConnections] = OpenConnections(HttpWithLastAnswer.limits)

    _deadline: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None
    _in_head = False
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Expect a first request, unless the address has too many connections; later if it has refusals to come."""
        super().connection_made(transport)
        if not self.opened.admits(transport, self.peer):
            self._turn_away(transport, self.peer)
            return
        if (sending := transport.get_extra_info("socket")) is not None:
            sending.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.limits.send_buffer)
        self._expect(self.limits.head)
        wait = min(self.refusals.backlog(self.peer.client), self.limits.refused_pause)
        if wait:
            # Not at once: uvloop begins to read when this returns.
            self.loop.call_soon(transport.pause_reading)
            self.loop.call_later(wait, transport.resume_reading)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop every clock."""
        self.opened.leave(self.transport)
        self.crowd.leave(self.transport)
        self._forget_deadline()
        self._unwatch()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def parse(self, data: bytes) -> None:
        """Keep the clock and the size of a request's head."""
        continues_head = self._in_head
        between_requests = self.cycle is None or self.cycle.response_complete
        if self._deadline is None and between_requests:
            self._expect(self.limits.head)
        super().parse(data)
        if continues_head and self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self.limits.head_bytes:
                self._close()

    def on_message_begin(self) -> None:
        """Expect the headers."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        self._expect(self.limits.head)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; drop a trailer, which must not pass for one (RFC 9110, section 6.5.1)."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Expect the body.

        Raises:
            _TooManyWaitingError: The peer has sent so many requests ahead of their answers that it loses the
                connection; raised to stop the parser, which would read on.
        """
        self._in_head = False
        if len(self.pipeline) >= self.limits.pipelined:
            self.transport.abort()
            raise _TooManyWaitingError
        self._expect(self.limits.body)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Expect nothing while the request is answered."""
        self._forget_deadline()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Leave the connection to the WebSocket protocol, which has its own clock, if no answer is under way on it."""
        self._forget_deadline()
        if self._answering is None or self._answering.response_complete:
            super().handle_websocket_upgrade()
        else:
            self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP; nothing more is expected."""
        self._forget_deadline()
        super().send_400_response(msg)

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

    def _turn_away(self, transport: asyncio.Transport, peer: Peer) -> None:
        """Close a connection over the limit; late, if few of these wait, since an early close brings the next one."""
        if self.crowd.admits(transport, peer):
            self.loop.call_soon(transport.pause_reading)
            self.loop.call_later(self.limits.refused_pause, transport.abort)
        else:
            transport.abort()

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


def uvicorn_options(limits: ConnectionLimits, refusals: Refusals | None = None) -> dict[str, Any]:
    """Keyword arguments for `uvicorn.Config` under which every connection keeps to the limits.

    `refusals` are those that the application holds back.

    Raises:
        RuntimeError: uvicorn is another version than the one that was read.
    """
    if uvicorn.__version__ != WRITTEN_FOR:
        raise RuntimeError(
            f"server/wire/uvicorn_protocol.py was written for uvicorn {WRITTEN_FOR}, not {uvicorn.__version__}: "
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

"""HTTP connections: their peers are counted, and dropped if they do not read.

Together with `uvicorn_protocol` this mends uvicorn's protocol, with attributes that uvicorn does not promise to keep;
`uvicorn_options` therefore rejects other versions.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import ClassVar

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from server.callers.addresses import Peer
from server.callers.refusals import Refusals
from server.wire.connection_limits import ConnectionLimits
from server.wire.open_connections import OpenConnections


class TurnFlow(FlowControl):
    """Flow control that parses the rest of the last read before it reads more."""

    def __init__(self, transport: asyncio.Transport, go_on: Callable[[], None]) -> None:
        super().__init__(transport)
        self._go_on: Callable[[], None] | None = go_on

    def resume_reading(self) -> None:
        """Go on with parsing, then with reading."""
        if self.read_paused:
            self.read_paused = False
            if self._go_on is not None:
                self._go_on()

    def let_go(self) -> None:
        """Drop the callback: the connection is gone."""
        self._go_on = None


class HttpConnection(HttpToolsProtocol):
    """One connection, whatever is requested on it."""

    limits: ClassVar[ConnectionLimits] = ConnectionLimits()
    opened: ClassVar[OpenConnections] = OpenConnections(limits)
    crowd: ClassVar[OpenConnections] = OpenConnections(limits)
    """Connections over the limit that wait to be closed."""
    refusals: ClassVar[Refusals] = Refusals()

    _stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Read, unless the address has too many connections; later if it has refusals to come."""
        super().connection_made(transport)
        self.peer = Peer.at(self.client[0] if self.client else None)
        self.app_state = self.peer.noted_in(self.app_state)
        if not self.opened.admits(transport, self.peer):
            self._turn_away(transport)
            return
        if (sending := transport.get_extra_info("socket")) is not None:
            sending.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.limits.send_buffer)
        wait = min(self.refusals.backlog(self.peer.client), self.limits.refused_pause)
        if wait:
            # Not at once: uvloop begins to read when this returns.
            self.loop.call_soon(transport.pause_reading)
            self.loop.call_later(wait, transport.resume_reading)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection, and stop its clocks."""
        self.opened.leave(self.transport)
        self.crowd.leave(self.transport)
        self._unwatch()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

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

    def _turn_away(self, transport: asyncio.Transport) -> None:
        """Close a connection over the limit; late, if few of these wait, since an early close brings the next one."""
        if self.crowd.admits(transport, self.peer):
            self.loop.call_soon(transport.pause_reading)
            self.loop.call_later(self.limits.refused_pause, transport.abort)
        else:
            transport.abort()

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

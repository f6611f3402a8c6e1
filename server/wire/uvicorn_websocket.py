"""WebSockets that end: uvicorn's protocol with a deadline for every silence and turns for every flood."""

import asyncio
from asyncio.transports import BaseTransport
from http import HTTPStatus
from typing import ClassVar

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request

from server.callers.addresses import Peer
from server.callers.refusals import Refusals
from server.wire.connection_limits import ConnectionLimits
from server.wire.open_connections import OpenConnections
from server.wire.raw_refusals import bad_request, refuse_late, with_strict_headers

_TURN_BYTES = 512


class PunctualWebSocket(WebSocketsSansIOProtocol):
    """WebSocket whose close always ends the connection, whether or not the peer reads."""

    limits: ClassVar[ConnectionLimits] = ConnectionLimits()
    opened: ClassVar[OpenConnections] = OpenConnections(limits)
    refusals: ClassVar[Refusals] = Refusals()

    _refusing: asyncio.Task[None] | None = None
    _deadline: asyncio.TimerHandle | None = None
    _turn: asyncio.Handle | None = None
    _second = 0.0
    _frames_in_second = 0

    def connection_made(self, transport: BaseTransport) -> None:
        """Expect the handshake to come to its end."""
        super().connection_made(transport)
        self._unread = bytearray()
        self._abort_in(self.limits.head)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock; the connection was counted before it became a WebSocket."""
        self.opened.leave(self.transport)
        self._forget_deadline()
        self._unread.clear()
        if self._refusing is not None:
            self._refusing.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse the data in turns, since thousands of frames fit into one read."""
        self._unread += data
        if self._turn is None:
            self._take()

    async def receive(self) -> ASGIReceiveEvent:
        """Receive a message, then parse data that has come before reading more; nothing once the peer is gone."""
        if self.disconnected:
            return {"type": "websocket.disconnect", "code": CloseCode.ABNORMAL_CLOSURE}
        message = await super().receive()
        if self._unread and not self.read_paused:
            self.transport.pause_reading()
            self._take_soon()
        return message

    async def send(self, message: ASGISendEvent) -> None:
        """Send; a close has a deadline, since a close frame cannot be written while the peer reads nothing."""
        if message["type"] == "websocket.close":
            self._abort_in(self.limits.close_grace)
        await super().send(message)
        if message["type"] == "websocket.accept":
            self._forget_deadline()
        elif message["type"] == "websocket.http.response.body" and self.close_sent:
            self.handshake_complete = True  # uvicorn would log an error, as if no answer had been given

    def shutdown(self) -> None:
        """Close with 1012 (service restart), after which clients reconnect."""
        super().shutdown()
        self._abort_in(self.limits.close_grace)

    def keepalive_timeout(self) -> None:
        """Drop a peer that did not answer a ping, without a close frame.

        A client that wakes from sleep reconnects after a silent end (1006), but gives up after uvicorn's 1011.
        """
        self.stop_keepalive()
        self.transport.abort()

    def handle_connect(self, event: Request) -> None:
        """Begin the handshake, or refuse a request that is not one."""
        response = self.conn.accept(event)
        if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            super().handle_connect(event)
        else:
            self.handshake_initiated = self.handshake_complete = self.close_sent = True
            self.conn.send_response(response)
            self._turn_down()

    def handle_ping(self) -> None:
        """Answer a ping, unless the peer reads no answers or sends too many."""
        if self.transport.get_write_buffer_size() > self.limits.message_bytes:
            self.transport.abort()
        elif self._spend_frame():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        """Take a pong as a sign of life, unless the peer sends too many."""
        if self._spend_frame():
            super().handle_pong(event)

    def handle_cont(self, event: Frame) -> None:
        """Take a fragment of a message, unless it has too many."""
        if len(self.frames) >= self.limits.fragments:
            self._refuse(CloseCode.MESSAGE_TOO_BIG, "too many fragments")
        elif event.data or self._spend_frame():
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        """Hand a message on; those that come after the close are dropped, and limited."""
        if not self.close_sent:
            super().send_receive_event_to_app()
        elif not self._spend_frame():
            self.transport.abort()

    def _take(self) -> None:
        self._turn = None
        if self.transport.is_closing():
            self._unread.clear()
            return
        turn = bytes(self._unread[:_TURN_BYTES])
        del self._unread[:_TURN_BYTES]
        super().data_received(turn)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self._turn_down()
        if self._refusing is not None:
            return
        if self.transport.is_closing():
            self._abort_in(self.limits.close_grace)
        elif self._unread:
            self.transport.pause_reading()
            if not self.read_paused:
                self._take_soon()
        elif not self.read_paused:
            self.transport.resume_reading()

    def _take_soon(self) -> None:
        if self._turn is None:
            self._turn = self.loop.call_soon(self._take)

    def _turn_down(self) -> None:
        """Refuse a handshake, as late as other refusals of its address."""
        self._unread.clear()
        answer = b"".join(self.conn.data_to_send())  # nothing, where the upgrade is too broken for an answer of its own
        answer = with_strict_headers(answer) if answer else bad_request("Invalid upgrade.")
        peer = Peer.of({"state": self.app_state, "client": self.client})
        if self.opened.exempts(peer):
            self.transport.write(answer)
            self.transport.close()
        else:
            late = refuse_late(self.transport, answer, self.refusals, peer.client, self.transport.close)
            self._refusing = self.loop.create_task(late)

    def _spend_frame(self) -> bool:
        """Count a frame without content; False if the connection has ended over it."""
        now = self.loop.time()
        if now - self._second >= 1:
            self._second, self._frames_in_second = now, 0
        self._frames_in_second += 1
        if self._frames_in_second > self.limits.frames:
            self._refuse(CloseCode.POLICY_VIOLATION, "too many frames")
        return not self.transport.is_closing()

    def _refuse(self, code: CloseCode, reason: str) -> None:
        if not self.transport.is_closing():
            self.conn.fail(code, reason)
            self.handle_parser_exception()

    def _abort_in(self, seconds: float) -> None:
        self._forget_deadline()
        self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

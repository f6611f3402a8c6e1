"""Closes a connection after its first bad request, but only once the client has received the error response.

uvicorn reads on after it has answered a request that had not ended. It answers a bad request at once, even while
another answer is due. And it closes a connection in a way that hides the answer from a client that is still writing.
"""

import asyncio
from functools import partial
from typing import ClassVar

from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, Scope
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from server.callers.addresses import Peer
from server.callers.refusals import Refusals
from server.wire.connection_limits import ConnectionLimits
from server.wire.http_turns import HttpInTurns
from server.wire.open_connections import OpenConnections
from server.wire.raw_refusals import bad_request, refuse_late

_VERSIONS = ("1.0", "1.1")
_CODINGS: tuple[list[bytes], ...] = ([], [b"chunked"])


class _UnclearError(Exception):
    """A request that two readers may understand differently, or a body in too many tiny chunks."""


class HttpWithLastAnswer(HttpInTurns):
    """HTTP that announces its last answer, and then reads little and parses nothing."""

    limits: ClassVar[ConnectionLimits] = ConnectionLimits()
    opened: ClassVar[OpenConnections] = OpenConnections(limits)
    refusals: ClassVar[Refusals] = Refusals()

    _answering: RequestResponseCycle | None = None
    _refusing: asyncio.Task[None] | None = None
    _chunks = 0
    _chunked_bytes = 0
    _is_last_answer = False
    _left_to_drain: int | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Parse the peer's address for all that happens on the connection, WebSockets included."""
        super().connection_made(transport)
        self.peer = Peer.at(self.client[0] if self.client else None)
        self.app_state = self.peer.noted_in(self.app_state)

    def connection_lost(self, exc: Exception | None) -> None:
        """Notify the request that is being answered; uvicorn notifies only the last one received."""
        self.pipeline.clear()
        if self._refusing is not None:
            self._refusing.cancel()
        if self._answering is not None and not self._answering.response_complete:
            self._give_up_answer(self._answering)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Drop data after the last answer."""
        if self._left_to_drain is None:
            super().data_received(data)
            return
        self._left_to_drain -= len(data)
        if self._left_to_drain < 0:
            self.transport.pause_reading()

    def on_message_begin(self) -> None:
        """Count the chunks of this request."""
        super().on_message_begin()
        self._chunks = self._chunked_bytes = 0

    def on_headers_complete(self) -> None:
        """Begin to answer a request that can be read in only one way.

        Raises:
            _UnclearError: Answered with 400 (RFC 9112, sections 2.3, 3.2 and 6.1).
        """
        self._check_head()
        super().on_headers_complete()

    def on_chunk_header(self) -> None:
        """Count a chunk.

        Raises:
            _UnclearError: Answered with 400: the body has many chunks that are nearly empty.
        """
        if self._chunks > self.limits.chunks and self._chunked_bytes < self._chunks * self.limits.chunk_bytes:
            raise _UnclearError
        self._chunks += 1

    def on_body(self, body: bytes) -> None:
        """Count the bytes of chunks."""
        self._chunked_bytes += len(body)
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Wait for the next request, or close the connection if the rest of this one would have to be read first."""
        if self._is_last_answer and not self.transport.is_closing():
            self.server_state.total_requests += 1
            self._linger()
        else:
            super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, as late as any refusal of its client; if another answer is due, only close."""
        if self.transport.is_closing():
            return
        self._unread.clear()
        cycle = self._answering
        if cycle is not None and not cycle.response_complete:
            if cycle is not self.cycle or not cycle.more_body or cycle.response_started:
                self.timeout_keep_alive_handler()
                return
            self._give_up_answer(cycle)
        if self.opened.exempts(self.peer):
            self.transport.write(bad_request(msg))
            self._linger()
        else:
            self.flow.pause_reading()
            refusing = refuse_late(self.transport, bad_request(msg), self.refusals, self.peer.client)
            self._refusing = self.loop.create_task(refusing)
            self._refusing.add_done_callback(self._linger_after)

    def _unsupported_upgrade_warning(self) -> None:
        """Answer as if no upgrade had been requested, then close: the parser has stopped for good."""
        self.cycle.keep_alive = False
        self._unread.clear()
        self._left_to_drain = self.limits.drained

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, partial(self._answer, cycle, app))

    async def _answer(
        self,
        cycle: RequestResponseCycle,
        app: ASGI3Application,
        scope: Scope,
        receive: ASGIReceiveCallable,
        send: ASGISendCallable,
    ) -> None:
        async def send_and_mark(message: ASGISendEvent) -> None:
            unfinished = message["type"] == "http.response.start" and cycle.more_body
            if unfinished:
                cycle.keep_alive = False
            await send(message)
            if unfinished:
                # It has said `Connection: close`; uvicorn would close at once, and the peer might not see the answer.
                cycle.keep_alive = self._is_last_answer = True

        await app(scope, receive, send_and_mark)

    def _check_head(self) -> None:
        version = self.parser.get_http_version()
        hosts = sum(name == b"host" for name, _ in self.headers)
        codings = [value.strip().lower() for name, value in self.headers if name == b"transfer-encoding"]
        if version not in _VERSIONS or hosts > 1 or (not hosts and version == "1.1") or codings not in _CODINGS:
            raise _UnclearError

    def _give_up_answer(self, cycle: RequestResponseCycle) -> None:
        cycle.disconnected = True
        cycle.message_event.set()

    def _linger(self) -> None:
        """Announce the end, and leave the peer time to read the last answer."""
        self._left_to_drain = self.limits.drained
        self._unread.clear()
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(self.limits.linger, self.timeout_keep_alive_handler)
        self.transport.write_eof()
        self.transport.resume_reading()

    def _linger_after(self, refused: asyncio.Task[None]) -> None:
        if not refused.cancelled() and not self.transport.is_closing():
            self._linger()

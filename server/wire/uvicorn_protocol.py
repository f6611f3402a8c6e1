"""HTTP requests that end: uvicorn's protocol with a deadline for every silence and a bound for every flood.

uvicorn waits forever for slow headers and bodies, for first requests, and for peers that stop reading. It parses a
whole read at once. It reads on after it has answered a request that had not ended, answers a bad request while another
answer is due, and closes in a way that hides the answer from a peer that is still writing.
"""

import asyncio
from functools import partial

from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, Scope
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from server.wire.http_connection import HttpConnection, TurnFlow
from server.wire.raw_refusals import bad_request, refuse_late

_TURN_BYTES = 4_096
_VERSIONS = ("1.0", "1.1")
_CODINGS: tuple[list[bytes], ...] = ([], [b"chunked"])


class _RefusedError(Exception):
    """Stops the parser. The request is answered with 400 unless the connection is closed already."""


class PunctualHttp(HttpConnection):
    """HTTP/1.1 whose requests arrive in time, and are parsed in turns of a few kilobytes."""

    _deadline: asyncio.TimerHandle | None = None
    _turn: asyncio.Handle | None = None
    _in_head = False
    _head_bytes = 0
    _chunks = 0
    _chunked_bytes = 0
    _answering: RequestResponseCycle | None = None
    _refusing: asyncio.Task[None] | None = None
    _is_last_answer = False
    _left_to_drain: int | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Expect a first request."""
        super().connection_made(transport)
        self.flow: TurnFlow = TurnFlow(transport, self._go_on)
        self._unread = bytearray()
        self._expect(self.limits.head)

    def connection_lost(self, exc: Exception | None) -> None:
        """Notify the request that is being answered: uvicorn notifies only the last one received."""
        self._forget_deadline()
        self.pipeline.clear()
        self._unread.clear()
        if self._refusing is not None:
            self._refusing.cancel()
        if self._answering is not None and not self._answering.response_complete:
            self._give_up_answer(self._answering)
        super().connection_lost(exc)
        self._let_go()

    def data_received(self, data: bytes) -> None:
        """Keep the data, and take the first turn if none is due; drop data after the last answer."""
        if self._left_to_drain is not None:
            self._left_to_drain -= len(data)
            if self._left_to_drain < 0:
                self.transport.pause_reading()
            return
        self._unread += data
        if self._turn is None:
            self._take()

    def _take(self) -> None:
        """Parse a turn's data, and keep the clock and the size of a request's head."""
        self._turn = None
        if self.flow.read_paused or self.transport.is_closing():
            return
        turn, continues_head = bytes(self._unread[:_TURN_BYTES]), self._in_head
        del self._unread[:_TURN_BYTES]
        if self._deadline is None and (self.cycle is None or self.cycle.response_complete):
            self._expect(self.limits.head)
        super().data_received(turn)
        if continues_head and self._in_head:
            self._head_bytes += len(turn)
            if self._head_bytes > self.limits.head_bytes:
                self._close()
        self._go_on()

    def _go_on(self) -> None:
        """Take the next turn soon, or read more."""
        if self.flow.read_paused or self.transport.is_closing():
            return
        if not self._unread:
            self.transport.resume_reading()
        elif self._turn is None:
            self.transport.pause_reading()
            self._turn = self.loop.call_soon(self._take)

    def on_message_begin(self) -> None:
        """Expect the headers."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        self._chunks = self._chunked_bytes = 0
        self._expect(self.limits.head)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; drop a trailer, which must not pass for one (RFC 9110, section 6.5.1)."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Expect the body, and begin to answer.

        Raises:
            _RefusedError: the peer sent too many requests ahead of their answers, which ends the connection, or two
                readers may understand the request differently (RFC 9112, sections 2.3, 3.2 and 6.1).
        """
        self._in_head = False
        if len(self.pipeline) >= self.limits.pipelined:
            self.transport.abort()
            raise _RefusedError
        self._expect(self.limits.body)
        version = self.parser.get_http_version()
        hosts = sum(name == b"host" for name, _ in self.headers)
        codings = [value.strip().lower() for name, value in self.headers if name == b"transfer-encoding"]
        if version not in _VERSIONS or hosts > 1 or (not hosts and version == "1.1") or codings not in _CODINGS:
            raise _RefusedError
        super().on_headers_complete()

    def on_chunk_header(self) -> None:
        """Count a chunk.

        Raises:
            _RefusedError: the body has many chunks that are nearly empty.
        """
        if self._chunks > self.limits.chunks and self._chunked_bytes < self._chunks * self.limits.chunk_bytes:
            raise _RefusedError
        self._chunks += 1

    def on_body(self, body: bytes) -> None:
        """Count the bytes of chunks."""
        self._chunked_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Expect nothing while the request is answered."""
        self._forget_deadline()
        super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle

        async def answer(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
            await app(scope, receive, partial(self._send, cycle, send))

        super()._start_asgi_task(cycle, answer)

    async def _send(self, cycle: RequestResponseCycle, send: ASGISendCallable, message: ASGISendEvent) -> None:
        unfinished = message["type"] == "http.response.start" and cycle.more_body
        if unfinished:
            cycle.keep_alive = False
        await send(message)
        if unfinished:
            # It has said `Connection: close`; uvicorn would close at once, and the peer might not see the answer.
            cycle.keep_alive = self._is_last_answer = True

    def on_response_complete(self) -> None:
        """Wait for the next request, or close the connection if the rest of this one would have to be read first."""
        if self._is_last_answer and not self.transport.is_closing():
            self.server_state.total_requests += 1
            self._linger()
        else:
            super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, as late as any refusal of its client; if another answer is due, only close."""
        self._forget_deadline()
        if self.transport.is_closing():
            return
        self._unread.clear()
        cycle = self._answering
        if cycle is not None and not cycle.response_complete:
            if cycle is not self.cycle or not cycle.more_body or cycle.response_started:
                self._close()
                return
            self._give_up_answer(cycle)
        if self.opened.exempts(self.peer):
            self.transport.write(bad_request(msg))
            self._linger()
        else:
            self.flow.pause_reading()
            late = refuse_late(self.transport, bad_request(msg), self.refusals, self.peer.client, self._linger)
            self._refusing = self.loop.create_task(late)

    def handle_websocket_upgrade(self) -> None:
        """Leave the connection to the WebSocket protocol, which has its own clock, if no answer is under way on it."""
        self._forget_deadline()
        if self._answering is not None and not self._answering.response_complete:
            self.transport.abort()
            return
        self._unread.clear()
        self.flow.pause_reading()
        super().handle_websocket_upgrade()
        self._let_go()

    def _unsupported_upgrade_warning(self) -> None:
        """Answer as if no upgrade had been requested, then close: the parser has stopped for good."""
        self.cycle.keep_alive = False
        self._unread.clear()
        self._left_to_drain = self.limits.drained

    def _expect(self, seconds: float) -> None:
        self._forget_deadline()
        self._deadline = self.loop.call_later(seconds, self._close)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up_answer(self, cycle: RequestResponseCycle) -> None:
        cycle.disconnected = True
        cycle.message_event.set()

    def _linger(self) -> None:
        """Announce the end, and leave the peer time to read the last answer."""
        self._left_to_drain = self.limits.drained
        self._unread.clear()
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(self.limits.linger, self._close)
        self.transport.write_eof()
        self.transport.resume_reading()

    def _let_go(self) -> None:
        """Drop references back to this object: a cycle would live until a collection, or for good (gc.freeze)."""
        self.flow.let_go()
        self.parser = None  # type: ignore[assignment]

"""HTTP that is parsed in turns: uvicorn's protocol parses all that one read brings, thousands of chunks, at once."""

import asyncio
from collections.abc import Callable

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_TURN_BYTES = 4_096


class _TurnFlow(FlowControl):
    """Flow control that asks before it reads more, since something may be left of what came."""

    def __init__(self, transport: asyncio.Transport, go_on: Callable[[], None]) -> None:
        super().__init__(transport)
        self._go_on: Callable[[], None] = go_on

    def resume_reading(self) -> None:
        """Go on with what came, then with reading."""
        if self.read_paused:
            self.read_paused = False
            self._go_on()

    def let_go(self) -> None:
        """Ask nobody any more."""
        self._go_on = _nothing


def _nothing() -> None:
    """There is no connection any more."""


class HttpInTurns(HttpToolsProtocol):
    """HTTP of which others wait for a few kilobytes at most, and of which no more is read meanwhile."""

    _turn: asyncio.Handle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Ask the turns before reading on."""
        super().connection_made(transport)
        self.flow: _TurnFlow = _TurnFlow(transport, self._go_on)
        self._unread = bytearray()

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop what is left."""
        self._unread.clear()
        super().connection_lost(exc)
        self._let_go()

    def data_received(self, data: bytes) -> None:
        """Keep what came, and take the first turn if none is due."""
        self._unread += data
        if self._turn is None:
            self._take()

    def handle_websocket_upgrade(self) -> None:
        """Leave reading to the WebSocket protocol."""
        self._unread.clear()
        self.flow.pause_reading()
        super().handle_websocket_upgrade()
        self._let_go()

    def parse(self, data: bytes) -> None:
        """Parse what one turn brings."""
        super().data_received(data)

    def _take(self) -> None:
        self._turn = None
        if not self._waits():
            turn = bytes(self._unread[:_TURN_BYTES])
            del self._unread[:_TURN_BYTES]
            self.parse(turn)
            self._go_on()

    def _go_on(self) -> None:
        if self._waits():
            return
        if not self._unread:
            self.transport.resume_reading()
        elif self._turn is None:
            self.transport.pause_reading()
            self._turn = self.loop.call_soon(self._take)

    def _let_go(self) -> None:
        """Part with what refers back: in a circle it would live until a garbage collection, or for good (gc.freeze)."""
        self.flow.let_go()
        self.parser = None  # type: ignore[assignment]

    def _waits(self) -> bool:
        return self.flow.read_paused or self.transport.is_closing()

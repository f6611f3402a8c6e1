"""HTTP that is parsed in turns: uvicorn's protocol parses a whole read at once, which may be thousands of chunks."""

import asyncio
from collections.abc import Callable

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_TURN_BYTES = 4_096


class _TurnFlow(FlowControl):
    """Flow control that parses what is left of the last read before it reads more."""

    def __init__(self, transport: asyncio.Transport, go_on: Callable[[], None]) -> None:
        super().__init__(transport)
        self._go_on: Callable[[], None] = go_on

    def resume_reading(self) -> None:
        """Go on with parsing, then with reading."""
        if self.read_paused:
            self.read_paused = False
            self._go_on()

    def let_go(self) -> None:
        """Drop the callback."""
        self._go_on = _nothing


def _nothing() -> None:
    """Do nothing: the connection is gone."""


class HttpInTurns(HttpToolsProtocol):
    """HTTP whose connections parse a few kilobytes at a time, and read no more until that is done."""

    _turn: asyncio.Handle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Put the turns between parsing and reading."""
        super().connection_made(transport)
        self.flow: _TurnFlow = _TurnFlow(transport, self._go_on)
        self._unread = bytearray()

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop unparsed data."""
        self._unread.clear()
        super().connection_lost(exc)
        self._let_go()

    def data_received(self, data: bytes) -> None:
        """Keep the data, and take the first turn if none is due."""
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
        """Parse the data of one turn."""
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
        """Drop references back to this object: a cycle would live until a collection, or for good (gc.freeze)."""
        self.flow.let_go()
        self.parser = None  # type: ignore[assignment]

    def _waits(self) -> bool:
        return self.flow.read_paused or self.transport.is_closing()

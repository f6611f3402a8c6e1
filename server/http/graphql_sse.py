"""GraphQL over Server-Sent Events, in the mode of distinct connections: one operation, one response.

Frames end in LF, since urql cannot split those that end in CRLF. Nothing is queued: the next event is requested when
the client's socket has taken the last one, so the event source decides how far a slow reader may fall behind.
`server.wire` drops peers that stop reading.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Final

from starlette.types import Receive, Scope, Send

from execution.answer import Answer
from server.http.accept import MediaType
from server.http.http_request import ClientGone, while_connected

KEEP_ALIVE: Final = 12.0
"""Seconds of silence after which a comment keeps proxies from closing the stream."""

_HEADERS: Final = [
    (b"content-type", f"{MediaType.EVENT_STREAM.value}; charset=utf-8".encode()),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
_COMPLETE: Final = b"event: complete\ndata:\n\n"
_COMMENT: Final = b":\n\n"


@dataclass(frozen=True, slots=True)
class EventStream:
    """An ASGI response that sends the answers of one operation as events, until they or the client end."""

    answers: AsyncGenerator[Answer, None]
    keep_alive: float = KEEP_ALIVE
    stopping: Callable[[], bool] = lambda: False
    """Whether the server stops: the stream then does not say that it is complete, so that its client reconnects."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the operation completes or the client goes; either way the operation is closed at once."""
        del scope
        with suppress(ClientGone):
            await while_connected(self._send_all(send), receive)

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        async with aclosing(self._frames()) as frames:
            async for written in frames:
                await send({"type": "http.response.body", "body": written, "more_body": True})
        await send({"type": "http.response.body"})

    async def _frames(self) -> AsyncGenerator[bytes, None]:
        """Turn answers into frames, with a comment wherever the next one is long in coming."""
        # The first comment makes the response's head leave before there is an event.
        yield _COMMENT
        async with aclosing(self.answers) as answers:
            coming: asyncio.Future[Answer] | None = None
            try:
                while True:
                    coming = coming or asyncio.ensure_future(anext(answers))
                    done, _ = await asyncio.wait({coming}, timeout=self.keep_alive)
                    if not done:
                        yield _COMMENT
                        continue
                    finished, coming = coming, None
                    answer = finished.result()
                    event_id = "" if answer.event_id is None else f"id: {answer.event_id}\n"
                    yield f"event: next\n{event_id}data: ".encode() + answer.body + b"\n\n"
            except StopAsyncIteration:
                if not self.stopping():
                    yield _COMPLETE
            finally:
                if coming is not None:
                    coming.cancel()
                    await asyncio.gather(coming, return_exceptions=True)


async def once(answer: Answer) -> AsyncGenerator[Answer, None]:
    """Make a stream of a single answer."""
    yield answer

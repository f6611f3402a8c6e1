"""GraphQL over Server-Sent Events, in the mode of distinct connections: one operation, one response.

Frames end in LF, since urql cannot split those that end in CRLF. Nothing is queued here: the next event is
asked for when the client's socket took the last one, so that how far a slow reader may fall behind is the event
source's to say; `server.wire.uvicorn_protocol` drops peers that stop reading.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final

from starlette.types import Message, Receive, Scope, Send

from execution.answer import Answer
from server.http.accept import MediaType
from server.http.disconnect import until_disconnect

KEEP_ALIVE: Final = 12.0
"""Seconds of silence after which a comment keeps proxies from closing the stream."""

_HEADERS: Final = [
    (b"content-type", MediaType.EVENT_STREAM.content_type.encode()),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
_COMPLETE: Final = b"event: complete\ndata:\n\n"
_COMMENT: Final = b":\n\n"


class EventStream:
    """An ASGI response that sends the answers of one operation as events, until they or the client end.

    A stream that ends because the server stops, as `stopping` then says, does not say that it is complete: its client
    is to reconnect and go on from its last event.
    """

    def __init__(
        self,
        answers: AsyncGenerator[Answer, None],
        *,
        keep_alive: float = KEEP_ALIVE,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._answers = answers
        self._keep_alive = keep_alive
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the operation completes or the client goes; either way the operation is closed at once."""
        del scope
        sending = asyncio.create_task(self._send_all(send))
        leaving = asyncio.create_task(until_disconnect(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            sending.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
        if not sending.cancelled():
            sending.result()

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        async with aclosing(self._frames()) as frames:
            # The first comment makes the response's head leave before there is an event.
            await send(_part(_COMMENT))
            async for written in frames:
                await send(_part(written))
        await send(_part(b"", more=False))

    async def _frames(self) -> AsyncGenerator[bytes, None]:
        """Turn answers into frames, with a comment wherever the next one is long in coming."""
        async with aclosing(self._answers) as answers:
            coming: asyncio.Future[Answer] | None = None
            try:
                while True:
                    coming = coming or asyncio.ensure_future(anext(answers))
                    done, _ = await asyncio.wait({coming}, timeout=self._keep_alive)
                    if not done:
                        yield _COMMENT
                        continue
                    finished, coming = coming, None
                    yield frame(finished.result())
            except StopAsyncIteration:
                if not self._stopping():
                    yield _COMPLETE
            finally:
                if coming is not None:
                    coming.cancel()
                    await asyncio.gather(coming, return_exceptions=True)


def frame(answer: Answer) -> bytes:
    """Write one answer as a `next` event, with its cursor as the event's id."""
    event_id = f"id: {answer.event_id}\n".encode() if answer.event_id is not None else b""
    return b"event: next\n" + event_id + b"data: " + answer.body + b"\n\n"


def _part(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def once(answer: Answer) -> AsyncGenerator[Answer, None]:
    """Make a stream of a single answer."""
    yield answer

"""graphql-transport-ws sockets: the order of their messages, and the operations they run.

Each operation has one task and writes its own frames, waiting while the peer's buffer is full. So a socket never holds
more than that buffer and one answer per operation, and a slow peer slows only its own operations; `server.wire` drops
peers that stop reading. All tasks of a connection end with it: they share one group, and the
end of the socket is an exception that goes through that group.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Generic, NoReturn, TypeVar

from graphql import OperationType
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from catalogue.errors import ClientError, RateLimited
from execution.answer import Answer, Outcome
from execution.errors import client_error, refuse
from server.http.origins import Origins
from server.http.socket_service import SocketService
from server.http.ws_messages import (
    CONNECTION_ACK,
    BadMessage,
    ClientMessage,
    Complete,
    ConnectionInit,
    Ping,
    Pong,
    Subscribe,
    complete_message,
    error_message,
    next_message,
    pong_message,
    read_message,
)

_SUBPROTOCOL = "graphql-transport-ws"
_LONGEST_REASON = 123

S = TypeVar("S")


class _Closed(Exception):
    """The socket is to be closed with this code; with none, the peer is gone already."""

    def __init__(self, code: int | None, reason: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:_LONGEST_REASON].decode(errors="ignore")


class Connection(Generic[S]):
    """One socket after its handshake, until it closes."""

    _scope: S

    def __init__(self, service: SocketService[S], websocket: WebSocket) -> None:
        self._service = service
        self._websocket = websocket
        self._tasks = asyncio.TaskGroup()
        self._init_deadline = asyncio.timeout(service.limits.init_seconds)
        self._initialised = False
        self._idle_until = 0.0
        self._operations: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Serve the socket, then close it with the code of the reason."""
        try:
            async with self._tasks:
                await self._read()
        except ExceptionGroup as ended:
            code, reason = self._told(ended)
            # Else it and the frames that it refers to would keep each other, and with them the connection.
            ended.__traceback__ = None
        if code is not None:
            with suppress(WebSocketDisconnect, RuntimeError):
                await self._websocket.close(code, reason)

    def _told(self, ended: ExceptionGroup[Exception]) -> tuple[int | None, str]:
        """The code and the reason to close with; a fault of ours is reported, and masked for the peer."""
        closed, faults = ended.split(_Closed)
        if faults is not None or closed is None:
            return 4500, client_error(faults or ended, self._service.report).message
        return next((end.code, end.reason) for end in closed.exceptions if isinstance(end, _Closed))

    async def _read(self) -> NoReturn:
        try:
            async with self._init_deadline:
                while True:
                    await self._handle(await self._receive())
                    # Frames that came in one packet are there at once: together they would hold the loop.
                    await asyncio.sleep(self._pause())
        except TimeoutError:
            raise _Closed(4408, "Connection initialisation timeout") from None
        except BadMessage as error:
            raise _Closed(4400, str(error)) from None

    async def _receive(self) -> ClientMessage:
        event = await self._websocket.receive()
        if event["type"] == "websocket.disconnect":
            raise _Closed(None)
        if event.get("text") is None:
            raise _Closed(4400, "Message is not text")
        return read_message(event["text"])

    async def _handle(self, message: ClientMessage) -> None:
        if isinstance(message, Ping | Pong):
            self._count_idle()
        match message:
            case ConnectionInit():
                await self._initialise(message)
            case Ping():
                await self._send(pong_message(message.payload))
            case Subscribe():
                await self._subscribe(message)
            case Complete():
                operation = self._operations.pop(message.id, None)
                if operation is None:
                    self._count_idle()
                else:
                    operation.cancel()

    async def _initialise(self, message: ConnectionInit) -> None:
        if self._initialised:
            raise _Closed(4429, "Too many initialisation requests")
        self._initialised = True
        self._init_deadline.reschedule(None)
        try:
            self._scope = self._service.scope_of_socket(self._websocket, message.payload)
        except RateLimited as error:
            raise _Closed(1013, error.message) from None
        except ClientError as error:
            raise _Closed(4403, error.message) from None
        await self._send(CONNECTION_ACK)

    async def _subscribe(self, message: Subscribe) -> None:
        if not self._initialised:
            raise _Closed(4401, "Unauthorized")
        if message.id in self._operations:
            raise _Closed(4409, "Subscriber already exists")
        limit = self._service.limits.operations
        if len(self._operations) < limit:
            decided = asyncio.Event()
            self._operations[message.id] = self._tasks.create_task(self._operate(message, decided))
            # A refusal is delayed: a peer that goes on meanwhile, or completes the operation, would not wait for it.
            await decided.wait()
        else:
            self._count_idle()
            error = RateLimited(f"A socket may have {limit} operations under way: complete one first.", retry_after=1)
            await self._send(error_message(message.id, refuse(Outcome.REFUSED, error)))

    def _count_idle(self) -> None:
        """Count a message that starts and ends nothing, and so is not counted against the client's rate."""
        self._idle_until = max(self._idle_until, time.monotonic()) + self._service.limits.idle_interval

    def _pause(self) -> float:
        """Seconds until the next message is read."""
        limits = self._service.limits
        return max(self._idle_until - time.monotonic() - limits.idle_messages * limits.idle_interval, 0.0)

    async def _operate(self, message: Subscribe, decided: asyncio.Event) -> None:
        """Run one operation to its last frame; only then its id is free again.

        `decided` is set once it is admitted, or its refusal sent.
        """
        try:
            try:
                async with self._service.admit(self._scope):
                    decided.set()
                    refusal = await self._send_results(message)
            except _Closed:
                raise
            except Exception as error:  # noqa: BLE001 - the fault of one operation must not end the others
                refusal = refuse(Outcome.REFUSED, client_error(error, self._service.report))
            await self._send(complete_message(message.id) if refusal is None else error_message(message.id, refusal))
        finally:
            decided.set()
            if self._operations.get(message.id) is asyncio.current_task():
                del self._operations[message.id]

    async def _send_results(self, message: Subscribe) -> Answer | None:
        """Send each result as `next`; returns the first answer that is not a result, if any."""
        executor = self._service.executor
        prepared = await executor.prepare_in_turn(message.request)
        if isinstance(prepared, Answer):
            return prepared
        if prepared.kind is not OperationType.SUBSCRIPTION:
            return await self._send_result(message.id, await executor.execute(prepared, self._scope))
        async with aclosing(executor.subscribe(prepared, self._scope)) as answers:
            async for answer in answers:
                if await self._send_result(message.id, answer):
                    return answer
                # The same for a backlog of events.
                await asyncio.sleep(0)
        return None

    async def _send_result(self, operation_id: str, answer: Answer) -> Answer | None:
        if not answer.outcome.ran:
            return answer
        await self._send(next_message(operation_id, answer))
        return None

    async def _send(self, frame: str) -> None:
        try:
            await self._websocket.send_text(frame)
        except (WebSocketDisconnect, RuntimeError):
            # uvicorn raises RuntimeError after it has closed the socket itself, for a message too large.
            raise _Closed(None) from None


def websocket_endpoint(service: SocketService[S], *, origins: Origins) -> Callable[[WebSocket], Awaitable[None]]:
    """Make the endpoint of a `WebSocketRoute`; pages that `origins` does not allow are refused with 403."""

    async def serve(websocket: WebSocket) -> None:
        if not origins.allow(websocket):
            await websocket.send_denial_response(Response(status_code=403))
        elif _SUBPROTOCOL not in websocket.scope["subprotocols"]:
            await websocket.accept()
            await websocket.close(4406, "Subprotocol not acceptable")
        else:
            await websocket.accept(_SUBPROTOCOL)
            await Connection(service, websocket).run()

    return serve

"""What every graphql-transport-ws socket of an endpoint shares: who runs its operations, and what it may do."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from starlette.requests import HTTPConnection

from execution.errors import Report
from execution.executor import Executor

S = TypeVar("S")


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketLimits:
    """What one socket may do."""

    init_seconds: float = 3.0
    """From the handshake to `connection_init`."""
    operations: int = 100
    """Operations under way at a time; one more gets an `error` message of its own."""
    idle_messages: int = 500
    """Messages that start and end nothing, such as pings, that are read without a pause."""
    idle_interval: float = 0.02
    """Seconds from one such message to the next, for long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketService(Generic[S]):
    """What every socket of an endpoint shares."""

    executor: Executor[S]
    """Runs the operations."""
    scope_of_socket: Callable[[HTTPConnection, Mapping[str, Any]], S]
    """Tells who connects, from the handshake and the payload of `connection_init`.

    A `ClientError` closes the socket: `RateLimited` with 1013 (try again later), any other with 4403."""
    report: Report
    """Takes an unexpected error, and the id the client got for it, to the log."""
    limits: SocketLimits
    admit: Callable[[S], AbstractAsyncContextManager[None]] = lambda _: nullcontext()
    """Entered around each operation before its text is looked at; refuses by raising a `ClientError`.

    The socket is not read until it has decided."""

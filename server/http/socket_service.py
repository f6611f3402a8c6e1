"""The parts that all graphql-transport-ws sockets of an endpoint share, and the limits of each."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from starlette.requests import HTTPConnection

from execution.errors import ErrorReporter
from execution.executor import Executor

S = TypeVar("S")


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketLimits:
    """The limits of one socket."""

    init_seconds: float = 3.0
    """From the handshake to `connection_init`."""
    operations: int = 100
    """Operations under way at a time; one more gets an `error` message of its own."""
    idle_messages: int = 500
    """Messages that start and end nothing, such as pings, that are read without a pause."""
    idle_interval: float = 0.02
    """Seconds between such messages after that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketService(Generic[S]):
    """The parts that all sockets of an endpoint share."""

    executor: Executor[S]
    scope_of_socket: Callable[[HTTPConnection, Mapping[str, Any]], S]
    """Identifies the caller, from the handshake and the payload of `connection_init`.

    A `ClientError` closes the socket: `RateLimited` with 1013 (try again later), any other with 4403."""
    report: ErrorReporter
    """Takes an unexpected error, and the id the client got for it, to the log."""
    limits: SocketLimits
    admit: Callable[[S], AbstractAsyncContextManager[None]] = lambda _: nullcontext()
    """Entered around each operation before its text is looked at; refuses by raising a `ClientError`.

    The socket is not read until it has decided."""

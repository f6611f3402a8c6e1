"""Refuses bytes that never became a request. No middleware sees them, so the headers and the delay are added here."""

import asyncio
from collections.abc import Callable

from server.callers.refusals import Refusals
from server.http.web_rules import STRICT

_HEADERS = "".join(f"{name}: {value}\r\n" for name, value in STRICT.items()).encode()


def with_strict_headers(answer: bytes) -> bytes:
    """Put the strict headers into an answer, behind its status line."""
    status, end, rest = answer.partition(b"\r\n")
    return status + end + _HEADERS + rest


def bad_request(text: str) -> bytes:
    """A whole answer of status 400."""
    head = f"content-type: text/plain; charset=utf-8\r\ncontent-length: {len(text)}\r\nconnection: close\r\n\r\n"
    return with_strict_headers(f"HTTP/1.1 400 Bad Request\r\n{head}{text}".encode("ascii"))


async def refuse_late(
    transport: asyncio.Transport, answer: bytes, refusals: Refusals, client: str, end: Callable[[], None]
) -> None:
    """Write a refusal when it is due, then end the connection; nothing is read until then."""
    transport.pause_reading()
    await refusals.hold(client)
    if not transport.is_closing():
        transport.write(answer)
        end()

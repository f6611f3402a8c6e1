"""Subscribers that never read, on bare sockets whose buffers are as small as the system allows."""

import asyncio
import base64
import json
import os
import socket
from urllib.parse import urlsplit

_SMALL = 4_096
"""Bytes of the receive buffer."""


def _frame(text: str) -> bytes:
    """A client's text frame; the mask is zero, which is a mask too."""
    payload = text.encode()
    size = len(payload)
    head = bytes((0x81, 0x80 | size)) if size < 126 else bytes((0x81, 0xFE)) + size.to_bytes(2, "big")
    return head + bytes(4) + payload


async def subscribe_and_fall_silent(url: str, document: str) -> socket.socket:
    """Open a socket, subscribe, and read nothing from then on; the caller closes it."""
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
    connection.settimeout(0)
    await loop.sock_connect(connection, (parts.hostname, parts.port))
    key = base64.b64encode(os.urandom(16)).decode()
    lines = (
        "GET /graphql HTTP/1.1",
        f"Host: {parts.netloc}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Protocol: graphql-transport-ws",
    )
    await loop.sock_sendall(connection, "\r\n".join((*lines, "", "")).encode())
    await _heard(connection, b"\r\n\r\n")
    await loop.sock_sendall(connection, _frame('{"type":"connection_init"}'))
    await _heard(connection, b"connection_ack")
    operation = {"type": "subscribe", "id": "1", "payload": {"query": document}}
    await loop.sock_sendall(connection, _frame(json.dumps(operation)))
    return connection


async def _heard(connection: socket.socket, wanted: bytes) -> None:
    heard = b""
    while wanted not in heard:
        piece = await asyncio.get_running_loop().sock_recv(connection, _SMALL)
        if not piece:
            raise ConnectionError(heard.decode(errors="replace"))
        heard += piece


def is_closed(connection: socket.socket) -> bool:
    """Whether the server has ended the connection; what it had sent before is thrown away."""
    try:
        while connection.recv(65_536):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True

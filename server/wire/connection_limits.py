"""The time, memory and frames that a connection may take."""

from dataclasses import dataclass

from server.callers.addresses import LOOPBACK, Networks


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """How long a connection may be silent and how much it may send; times in seconds, sizes in bytes."""

    head: float = 15.0
    """From the connection, or a request's first byte, to the end of its headers."""
    head_bytes: int = 65_536
    """Request line and headers, beyond the part that is parsed in the first turn."""
    body: float = 30.0
    """From the end of the headers to the end of the body."""
    chunks: int = 100
    """Chunks of a body that may be of any size."""
    chunk_bytes: int = 64
    """Average size that the chunks of a body with more of them must have."""
    linger: float = 1.0
    """From an answer given before its request had ended, or instead of one, until the connection is closed."""
    drained: int = 1_048_576
    """Read and dropped meanwhile, so that a peer that is still writing receives the answer."""
    keep_alive: float = 15.0
    """From an answer to the first byte of the next request."""
    stall: float = 10.0
    """How long an HTTP peer may take less than `slowest_reader` while an answer waits for it."""
    slowest_reader: int = 512
    """Bytes per second that a peer must take."""
    ping_interval: float = 10.0
    """From a WebSocket's last sign of life to the server's ping."""
    ping_timeout: float = 15.0
    """From that ping to the pong. A pong waits behind unread data, so this drops slow readers too."""
    close_grace: float = 5.0
    """How long a WebSocket peer may take to answer a close frame."""
    message_bytes: int = 262_144
    """One WebSocket message; a larger one closes the socket with 1009."""
    shutdown: float = 10.0
    """How long a stopping server waits for answers under way."""
    refused_pause: float = 1.0
    """How long a new connection is not read at most, while its address has refusals held back: others may share it."""
    pipelined: int = 8
    """Requests that may wait on a connection while another is answered."""
    send_buffer: int = 65_536
    """The kernel's buffer for a peer that does not read; Linux doubles it."""
    frames: int = 200
    """Frames without content (pings, pongs, empty continuations) that one WebSocket may send in a second."""
    fragments: int = 1_000
    """Frames that one WebSocket message may be cut into."""
    per_address: int = 200
    """Connections that one address may have open."""
    exempt: Networks = LOOPBACK
    """Networks whose connections are not counted: the machine itself, and proxies that speak for many."""

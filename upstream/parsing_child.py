"""The child process that parses one big list. It receives the list and sends the facts over a socket, its stdin.

Input: a line of JSON, `[adapter id, provider id, provider name, [size of each body], {model id: known digest}]`, then
the bodies, then EOF. Output: messages of a kind (one byte), a length (four bytes) and a payload.
"""

import json
import os
import pickle
import socket
import struct
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b

from catalogue.facts import ModelFacts
from providers._kit.registry import adapters
from upstream.errors import Malformed
from upstream.parse import parse_list

LENGTH = struct.Struct(">I")
SLICE, DONE, REFUSED = b"s", b"d", b"r"
"""Message kinds: a pickled Slice; the end, with the number of dropped rows; an error message."""

Slice = list[tuple[str, str, ModelFacts | None]]
"""Model id, digest of the facts, and the facts, or null if the digest was known."""

_ROWS = 50


def main() -> None:
    """Parse one list; exit silently if the parent has closed the socket."""
    with suppress(ConnectionError), socket.socket(fileno=os.dup(sys.stdin.fileno())) as peer:
        with peer.makefile("rb") as stream:
            task = stream.readline()
            if not task.endswith(b"\n"):
                return
            *names, sizes, known = json.loads(task)
            bodies = deque(stream.read(size) for size in sizes)
        if [len(body) for body in bodies] == sizes:
            _answer(peer, names, bodies, known)


def _answer(peer: socket.socket, names: tuple[str, str, str], bodies: deque[bytes], known: Mapping[str, str]) -> None:
    adapter_id, provider_id, provider_name = names
    try:
        parsed = parse_list(adapters()[adapter_id], provider_id, provider_name, _drained(bodies))
    except Malformed as error:
        _send(peer, REFUSED, error.message.encode())
        return
    for part in _slices(parsed.models, known):
        _send(peer, SLICE, pickle.dumps(part, pickle.HIGHEST_PROTOCOL))
    _send(peer, DONE, str(parsed.dropped).encode())


def _drained(bodies: deque[bytes]) -> Iterator[bytes]:
    """Each body, released once it is taken, so that none stays in memory beside its decoded rows."""
    while bodies:
        yield bodies.popleft()


def _slices(models: Sequence[ModelFacts], known: Mapping[str, str]) -> Iterator[Slice]:
    for start in range(0, len(models), _ROWS):
        part: Slice = []
        for facts in models[start : start + _ROWS]:
            digest = blake2b(pickle.dumps(facts, pickle.HIGHEST_PROTOCOL), digest_size=16).hexdigest()
            part.append((facts.id, digest, None if known.get(facts.id) == digest else facts))
        yield part


def _send(peer: socket.socket, kind: bytes, payload: bytes) -> None:
    peer.sendall(kind + LENGTH.pack(len(payload)) + payload)


if __name__ == "__main__":
    main()

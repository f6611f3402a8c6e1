"""The child process that reads one big list: it takes the list and gives the facts, in slices, over one socket.

In: a line of JSON `[adapter id, provider id, provider's name, [size of each body], {model id: known digest}]`, then the
bodies, then the end. Out: messages of a kind (one byte), a length (four bytes) and a payload. The socket is its stdin.
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
from upstream.errors import Malformed
from upstream.parse import parse_list

LENGTH = struct.Struct(">I")
SLICE, DONE, REFUSED = b"s", b"d", b"r"
"""A pickled Slice; the count of dropped rows, at the end; why the list is none."""

Slice = list[tuple[str, str, ModelFacts | None]]
"""Model id, digest of the facts, and the facts unless that digest was known."""

_ROWS = 50


def main() -> None:
    """Read one list; ends without a word when nobody waits for it any more."""
    with suppress(ConnectionError), socket.socket(fileno=os.dup(sys.stdin.fileno())) as peer:
        with peer.makefile("rb") as asked:
            task = asked.readline()
            if not task.endswith(b"\n"):
                return
            *names, sizes, known = json.loads(task)
            bodies = deque(asked.read(size) for size in sizes)
        if [len(body) for body in bodies] == sizes:
            _answer(peer, names, bodies, known)


def _answer(peer: socket.socket, names: tuple[str, str, str], bodies: deque[bytes], known: Mapping[str, str]) -> None:
    try:
        # Given up one by one: none is in memory together with all that it unfolds to.
        parsed = parse_list(*names, (bodies.popleft() for _ in range(len(bodies))))
    except Malformed as error:
        _send(peer, REFUSED, error.message.encode())
        return
    for part in _slices(parsed.models, known):
        _send(peer, SLICE, pickle.dumps(part, pickle.HIGHEST_PROTOCOL))
    _send(peer, DONE, str(parsed.dropped).encode())


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

"""The child process that reads one big list: the list on stdin, the facts on stdout, in slices.

stdin: a line of JSON `[adapter id, provider id, provider's name, [size of each body], {model id: known digest}]`, then
the bodies. stdout: messages of a kind (one byte), a length (four bytes) and a payload.
"""

import json
import pickle
import struct
import sys
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b

from catalogue.facts import ModelFacts
from providers._kit.errors import Malformed
from providers._kit.parse import parse_list

LENGTH = struct.Struct(">I")
SLICE, DONE, REFUSED = b"s", b"d", b"r"
"""A pickled Slice; the count of dropped rows, at the end; why the list is none."""

Slice = list[tuple[str, str, ModelFacts | None]]
"""Model id, digest of the facts, and the facts unless that digest was known."""

_ROWS = 100


def main() -> None:
    """Read one list."""
    adapter_id, provider_id, name, sizes, known = json.loads(sys.stdin.buffer.readline())
    bodies = [sys.stdin.buffer.read(size) for size in sizes]
    try:
        parsed = parse_list(adapter_id, provider_id, name, bodies)
    except Malformed as error:
        _say(REFUSED, error.message.encode())
        return
    for part in _slices(parsed.models, known):
        _say(SLICE, pickle.dumps(part, pickle.HIGHEST_PROTOCOL))
    _say(DONE, str(parsed.dropped).encode())


def _slices(models: Sequence[ModelFacts], known: Mapping[str, str]) -> Iterator[Slice]:
    for start in range(0, len(models), _ROWS):
        part: Slice = []
        for facts in models[start : start + _ROWS]:
            digest = blake2b(pickle.dumps(facts, pickle.HIGHEST_PROTOCOL), digest_size=16).hexdigest()
            part.append((facts.id, digest, None if known.get(facts.id) == digest else facts))
        yield part


def _say(kind: bytes, payload: bytes) -> None:
    sys.stdout.buffer.write(kind + LENGTH.pack(len(payload)) + payload)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()

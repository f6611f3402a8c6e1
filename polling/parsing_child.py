"""The child process that reads one big list: the list on stdin, the facts on stdout, in slices.

stdin: a line of JSON `[adapter id, provider id, provider's name, [size of each body]]`, then the bodies.
stdout: messages of a kind (one byte), a length (four bytes) and a payload.
"""

import json
import pickle
import struct
import sys

from providers._kit.errors import Malformed
from providers._kit.parse import parse_list

LENGTH = struct.Struct(">I")
SLICE, DONE, REFUSED = b"s", b"d", b"r"
"""Pickled facts; the count of dropped rows, at the end; why the list is none."""
_ROWS = 100


def main() -> None:
    """Read one list."""
    adapter_id, provider_id, name, sizes = json.loads(sys.stdin.buffer.readline())
    bodies = [sys.stdin.buffer.read(size) for size in sizes]
    try:
        parsed = parse_list(adapter_id, provider_id, name, bodies)
    except Malformed as error:
        _say(REFUSED, error.message.encode())
        return
    for start in range(0, len(parsed.models), _ROWS):
        _say(SLICE, pickle.dumps(parsed.models[start : start + _ROWS], pickle.HIGHEST_PROTOCOL))
    _say(DONE, str(parsed.dropped).encode())


def _say(kind: bytes, payload: bytes) -> None:
    sys.stdout.buffer.write(kind + LENGTH.pack(len(payload)) + payload)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()

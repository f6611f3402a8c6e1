"""SQLite's write-ahead log as it lies in its file (sqlite.org/walformat.html): what SQLite would silently pass over.

On opening a store SQLite takes up the log until the first frame that is not whole, and drops the rest without a word.
After a crash the rest is at most one transaction that was never acknowledged; more means that the log was damaged.
"""

import struct
from contextlib import suppress
from itertools import count
from pathlib import Path

_HEADER = struct.Struct(">8I")
_MAGIC = {0x377F0682: "<2I", 0x377F0683: ">2I"}
"""What a log begins with, and in which order of bytes its checksums then count."""
_FRAME = struct.Struct(">6I")
_WORD = 0xFFFFFFFF
_TAKEN_UP_AT = 16
"""Where the index beside a log says how many of its frames SQLite took up, as a number in the machine's own order."""


def has_sound_header(log: Path) -> bool:
    """Whether a log begins as it should, by its checksum; an absent or empty one does."""
    header = b""
    with suppress(FileNotFoundError), log.open("rb") as file:
        header = file.read(_HEADER.size)
    return not header or _is_header(header)


def commits(log: Path) -> list[int]:
    """Which frames of a log end a transaction, by the frames' own words."""
    ends: list[int] = []
    with suppress(FileNotFoundError), log.open("rb") as file:
        header = file.read(_HEADER.size)
        if len(header) == _HEADER.size:
            _, _, page_size, _, *salts, _, _ = _HEADER.unpack(header)
            for frame in count(1):
                head = file.read(_FRAME.size)
                if len(head) < _FRAME.size:
                    break
                _, size_after_commit, *own, _, _ = _FRAME.unpack(head)
                if own == salts and size_after_commit:
                    ends.append(frame)
                file.seek(page_size, 1)
    return ends


def taken_up(index: Path) -> int:
    """How many frames of its log SQLite took up, by the index that it keeps while the store is open."""
    with suppress(FileNotFoundError), index.open("rb") as file:
        file.seek(_TAKEN_UP_AT)
        word = file.read(4)
        if len(word) == 4:  # noqa: PLR2004 - the bytes just asked for
            return int(struct.unpack("=I", word)[0])
    return 0


def _is_header(header: bytes) -> bool:
    if len(header) < _HEADER.size:
        return False
    magic, *_, first, second = _HEADER.unpack(header)
    if magic not in _MAGIC:
        return False
    one = two = 0
    for left, right in struct.iter_unpack(_MAGIC[magic], header[:-8]):
        one = (one + left + two) & _WORD
        two = (two + right + one) & _WORD
    return (one, two) == (first, second)

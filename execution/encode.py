"""Encodes results as JSON, large ones in pieces so that other operations can run, up to a size limit."""

import asyncio
from collections.abc import Iterable, Iterator
from time import perf_counter
from typing import Any, Final

import orjson

from execution.errors import AnswerTooLarge

PIECE: Final = 64 * 1024
"""Characters that are encoded at once, names not counted: less than a millisecond."""
_SHORT: Final = 8
"""Characters that a value counts as if it is not a string."""
_SECONDS_AT_ONCE: Final = 0.005


async def encode(result: object, max_bytes: int) -> bytes:
    """Encode a result.

    Raises:
        AnswerTooLarge: the answer would have more than `max_bytes` bytes.
    """
    written: list[bytes] = []
    size, began = 0, perf_counter()
    for piece in pieces(result):
        written.append(piece)
        size += len(piece)
        if size > max_bytes:
            raise AnswerTooLarge("bytes", max_bytes)
        if perf_counter() - began > _SECONDS_AT_ONCE:
            await asyncio.sleep(0)
            began = perf_counter()
    return b"".join(written)


def pieces(value: Any) -> Iterator[bytes]:
    """The JSON of a value, in pieces of about `PIECE` characters."""
    if not isinstance(value, dict | list) or _left((value,), PIECE) > 0:
        yield orjson.dumps(value)
    elif isinstance(value, dict):
        before = b"{"
        for name, item in value.items():
            yield before + orjson.dumps(name) + b":"
            yield from pieces(item)
            before = b","
        yield b"}"
    else:
        before = b"["
        for some in _batches(value):
            yield before
            yield from (pieces(some[0]) if len(some) == 1 else (orjson.dumps(some)[1:-1],))
            before = b","
        yield b"]"


def _batches(items: list[Any]) -> Iterator[list[Any]]:
    """Split items into batches that fit in one piece; a larger item is a batch of its own."""
    start, room = 0, PIECE
    for end, item in enumerate(items):
        room = _left((item,), room)
        if room <= 0 and end > start:
            yield items[start:end]
            start, room = end, _left((item,), PIECE)
    yield items[start:]


def _left(values: Iterable[Any], room: int) -> int:
    """The characters left of `room` after these values; 0 or less if they do not fit."""
    for value in values:
        room -= _SHORT
        if isinstance(value, str):
            room -= len(value)
        elif isinstance(value, dict):
            room = _left(value.values(), room)
        elif isinstance(value, list):
            room = _left(value, room)
        if room <= 0:
            break
    return room

"""Writing a result as JSON: a large one in pieces, so that others run meanwhile, and no larger than one may be."""

import asyncio
from collections.abc import Iterable, Iterator
from time import perf_counter
from typing import Any, Final

import orjson

from execution.errors import AnswerTooLarge

PIECE: Final = 64 * 1024
"""Characters, names left out, that are written at once: less than a millisecond."""
_SHORT: Final = 8
"""What a value counts as that is no text."""
_SECONDS_AT_ONCE: Final = 0.005


async def encode(result: object, most: int) -> bytes:
    """Write a result.

    Raises:
        AnswerTooLarge: it has more than `most` bytes.
    """
    written: list[bytes] = []
    size, began = 0, perf_counter()
    for piece in pieces(result):
        written.append(piece)
        size += len(piece)
        if size > most:
            raise AnswerTooLarge("bytes", most)
        if perf_counter() - began > _SECONDS_AT_ONCE:
            await asyncio.sleep(0)
            began = perf_counter()
    return b"".join(written)


def pieces(value: Any) -> Iterator[bytes]:
    """The JSON of a value; what can be taken apart comes in pieces of about `PIECE`."""
    if not isinstance(value, dict | list) or _left((value,), PIECE) > 0:
        yield orjson.dumps(value)
    elif isinstance(value, dict):
        before = b"{"
        for name, held in value.items():
            yield before + orjson.dumps(name) + b":"
            yield from pieces(held)
            before = b","
        yield b"}"
    else:
        before = b"["
        for some in _batches(value):
            yield before
            if len(some) > 1:
                yield orjson.dumps(some)[1:-1]
            else:
                yield from pieces(some[0])
            before = b","
        yield b"]"


def _batches(items: list[Any]) -> Iterator[list[Any]]:
    """The items, as many at a time as have room in one piece, and a larger one alone."""
    start, room = 0, PIECE
    for end, item in enumerate(items):
        room = _left((item,), room)
        if room <= 0 and end > start:
            yield items[start:end]
            start, room = end, _left((item,), PIECE)
    yield items[start:]


def _left(held: Iterable[Any], room: int) -> int:
    """What is left of some room for characters after these values; none or less as soon as it is full."""
    for value in held:
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

"""How often the event loop lets others run while something goes on."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Turns:
    """The turns that others had so far."""

    taken: int = 0


@contextmanager
def turns_beside() -> Iterator[Turns]:
    """Take every turn that the loop gives away, until the block ends."""
    turns = Turns()

    async def take() -> None:
        while True:
            turns.taken += 1
            await asyncio.sleep(0)

    taking = asyncio.get_running_loop().create_task(take())
    try:
        yield turns
    finally:
        taking.cancel()

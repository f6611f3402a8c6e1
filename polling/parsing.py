"""Reading lists off the event loop: small ones in a thread, big ones in a child process.

Parsing holds the interpreter's lock, for 5,000 rows 150 to 200 ms. A child process has a lock of its own; it hands the
facts back in slices, each of which takes about a millisecond to take in. It ends with its list, and so does its memory.
"""

import asyncio
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence

import orjson

from catalogue.facts import ModelFacts
from polling.parsing_child import DONE, LENGTH, SLICE
from providers._kit.errors import Malformed
from providers._kit.parse import ParsedList, parse_list
from providers._kit.upstream import Upstream

BIG = 1_000_000
"""From this many bytes on a list is read in a child process."""
_MAX_SECONDS = 60.0


class Parser:
    """Reads the lists of all providers, one at a time where they are big."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def parse(self, upstream: Upstream, bodies: Sequence[bytes]) -> ParsedList:
        """The facts in a list; raises Malformed for a body that is none."""
        if sum(map(len, bodies)) < BIG:
            return await asyncio.to_thread(parse_list, upstream.adapter.id, upstream.id, upstream.name, bodies)
        async with self._turn:
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "polling.parsing_child", stdin=PIPE, stdout=PIPE
            )
            try:
                async with asyncio.timeout(_MAX_SECONDS):
                    return await _converse(child, upstream, bodies)
            except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
                raise Malformed(f"The list of {upstream.name} could not be read in time.") from None
            finally:
                if child.returncode is None:
                    child.kill()
                await child.wait()


async def _converse(child: Process, upstream: Upstream, bodies: Sequence[bytes]) -> ParsedList:
    if child.stdin is None or child.stdout is None:
        raise ConnectionError
    task = [upstream.adapter.id, upstream.id, upstream.name, [len(body) for body in bodies]]
    child.stdin.writelines([orjson.dumps(task), b"\n", *bodies])
    child.stdin.close()
    models: list[ModelFacts] = []
    while True:
        kind = await child.stdout.readexactly(1)
        payload = await child.stdout.readexactly(LENGTH.unpack(await child.stdout.readexactly(LENGTH.size))[0])
        if kind == SLICE:
            models.extend(pickle.loads(payload))  # noqa: S301 - our own child's words
            await asyncio.sleep(0)
        elif kind == DONE:
            return ParsedList(models=tuple(models), dropped=int(payload))
        else:
            raise Malformed(payload.decode())

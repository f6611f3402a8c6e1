"""Reading lists off the event loop: small ones in a thread, big ones in a child process.

Parsing holds the interpreter's lock: 5,000 rows for 150 to 200 ms. A child process has its own; it sends the facts back
in slices, each of which takes the parent about a millisecond to take in.
"""

import asyncio
import multiprocessing
import pickle
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from catalogue.facts import ModelFacts
from providers._kit.errors import Malformed, UpstreamError
from providers._kit.parse import ParsedList, parse_list
from providers._kit.upstream import Upstream

BIG = 1_000_000
"""From this many bytes on a list is read in a child process."""
_SLICE = 100
_MAX_SECONDS = 60.0

Slices = tuple[list[bytes], int]


def _in_child(adapter_id: str, provider_id: str, name: str, bodies: Sequence[bytes]) -> Slices | str:
    try:
        parsed = parse_list(adapter_id, provider_id, name, bodies)
    except UpstreamError as error:  # exceptions with constructors of their own do not survive pickling
        return error.message
    rows = parsed.models
    return [pickle.dumps(rows[i : i + _SLICE]) for i in range(0, len(rows), _SLICE)], parsed.dropped


class Parser:
    """Reads the lists of all providers, one at a time where they are big."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def parse(self, upstream: Upstream, bodies: Sequence[bytes]) -> ParsedList:
        """The facts in a list; raises Malformed for a body that is none."""
        arguments = (upstream.adapter.id, upstream.id, upstream.name, bodies)
        if sum(map(len, bodies)) < BIG:
            return await asyncio.to_thread(parse_list, *arguments)
        async with self._turn:
            return await self._parse_big(upstream.name, arguments)

    async def _parse_big(self, name: str, arguments: tuple[str, str, str, Sequence[bytes]]) -> ParsedList:
        # A child for each big list: it costs half a second beside the loop and keeps no memory between polls.
        pool = ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn"))
        try:
            async with asyncio.timeout(_MAX_SECONDS):
                answer = await asyncio.get_running_loop().run_in_executor(pool, _in_child, *arguments)
        except (TimeoutError, BrokenProcessPool):
            for process in list((pool._processes or {}).values()):  # noqa: SLF001 - there is no public way to end a busy child
                process.kill()
            raise Malformed(f"The list of {name} could not be read in time.") from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        if isinstance(answer, str):
            raise Malformed(answer)
        slices, dropped = answer
        models: list[ModelFacts] = []
        for part in slices:
            models.extend(pickle.loads(part))  # noqa: S301 - our own child's words
            await asyncio.sleep(0)
        return ParsedList(models=tuple(models), dropped=dropped)

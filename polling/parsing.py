"""Reading lists off the event loop: small ones in a thread, big ones in a child process.

Parsing holds the interpreter's lock, for 5,000 rows half a second. A child process has a lock of its own, ends with its
list, and so does its memory. It is told the digests of the facts that were read before and hands back what differs, in
slices: where 1 % of a list changed, this process takes in 1 % of it, and its heap is not torn up by the rest.
"""

import asyncio
import os
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import orjson

from catalogue.facts import ModelFacts
from polling.parsing_child import DONE, LENGTH, SLICE, Slice
from providers._kit.errors import Malformed
from providers._kit.parse import ParsedList, parse_list
from providers._kit.upstream import Upstream

BIG = 1_000_000
"""From this many bytes on a list is read in a child process."""
_MAX_SECONDS = 60.0
_NOTHING: Mapping[str, ModelFacts] = MappingProxyType({})

_CHILD_ENV = {"PYTHONHASHSEED": "0", "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
"""No keys; and hashes that are the same in every child, for only then are the digests of sets."""

Read = dict[str, tuple[str, ModelFacts]]
"""By model id: the digest of the facts and the facts."""


class Parser:
    """Reads the lists of all providers, one at a time where they are big."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._read: dict[str, Read] = {}

    async def parse(
        self, upstream: Upstream, bodies: Sequence[bytes], *, known: Mapping[str, ModelFacts] | None = None
    ) -> ParsedList:
        """The facts in a list; raises Malformed for a body that is none.

        `known` are the records that are held already: equal ones in a big list are given as these, and what was read is
        remembered for the provider's next list.
        """
        if sum(map(len, bodies)) < BIG:
            return await asyncio.to_thread(parse_list, upstream.adapter.id, upstream.id, upstream.name, bodies)
        async with self._turn:
            before = self._read.get(upstream.id, {}) if known is not None else {}
            read, dropped = await _read_in_child(upstream, bodies, before, known or _NOTHING)
            if known is not None:
                self._read[upstream.id] = read
        return ParsedList(models=tuple(facts for _, facts in read.values()), dropped=dropped)


async def _read_in_child(
    upstream: Upstream, bodies: Sequence[bytes], before: Read, known: Mapping[str, ModelFacts]
) -> tuple[Read, int]:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "polling.parsing_child"),
        stdin=PIPE,
        stdout=PIPE,
        env=_CHILD_ENV,
    )
    try:
        async with asyncio.timeout(_MAX_SECONDS):
            return await _converse(child, upstream, bodies, before, known)
    except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
        raise Malformed(f"The list of {upstream.name} could not be read in time.") from None
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def _converse(
    child: Process, upstream: Upstream, bodies: Sequence[bytes], before: Read, known: Mapping[str, ModelFacts]
) -> tuple[Read, int]:
    if child.stdin is None or child.stdout is None:
        raise ConnectionError
    digests = {id_: digest for id_, (digest, _) in before.items()}
    task = [upstream.adapter.id, upstream.id, upstream.name, list(map(len, bodies)), digests]
    child.stdin.writelines([orjson.dumps(task), b"\n", *bodies])
    child.stdin.close()
    read: Read = {}
    while True:
        kind = await child.stdout.readexactly(1)
        payload = await child.stdout.readexactly(LENGTH.unpack(await child.stdout.readexactly(LENGTH.size))[0])
        if kind == DONE:
            return read, int(payload)
        if kind != SLICE:
            raise Malformed(payload.decode())
        taken: Slice = pickle.loads(payload)  # noqa: S301 - our own child's words
        for id_, digest, facts in taken:
            read[id_] = before[id_] if facts is None else (digest, _held(facts, known))
        await asyncio.sleep(0)


def _held(facts: ModelFacts, known: Mapping[str, ModelFacts]) -> ModelFacts:
    held = known.get(facts.id)
    return held if held == facts else facts

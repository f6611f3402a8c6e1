"""Reading lists off the event loop: small ones in a thread, big ones in a child process.

Parsing holds the interpreter's lock, for 5,000 rows half a second. A child process has a lock of its own, ends with its
list, and so does its memory. It is told the digests of the facts that were read before and hands back what differs, in
slices: where 1 % of a list changed, this process takes in 1 % of it, and its heap is not torn up by the rest.
"""

import asyncio
import os
import pickle
import socket
import sys
from collections.abc import Mapping, Sequence
from subprocess import DEVNULL, Popen
from types import MappingProxyType

import orjson

from catalogue.facts import ModelFacts
from upstream.errors import Malformed
from upstream.parse import ParsedList, parse_list
from upstream.parsing_child import DONE, LENGTH, SLICE, Slice
from upstream.upstream import Upstream

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
    ours, childs = socket.socketpair()
    with ours, childs:
        child = await asyncio.to_thread(_spawn, childs)
        childs.close()
        try:
            async with asyncio.timeout(_MAX_SECONDS):
                return await _converse(ours, upstream, bodies, before, known)
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            raise Malformed(f"The list of {upstream.name} could not be read in time.") from None
        finally:
            child.kill()
            await asyncio.to_thread(child.wait)


def _spawn(peer: socket.socket) -> Popen[bytes]:
    # Not by the event loop, which would copy this process and hold everything for as long as that takes.
    return Popen([sys.executable, "-m", "upstream.parsing_child"], stdin=peer.fileno(), stdout=DEVNULL, env=_CHILD_ENV)


async def _converse(
    peer: socket.socket, upstream: Upstream, bodies: Sequence[bytes], before: Read, known: Mapping[str, ModelFacts]
) -> tuple[Read, int]:
    said, say = await asyncio.open_unix_connection(sock=peer)
    digests = {id_: digest for id_, (digest, _) in before.items()}
    task = [upstream.adapter.id, upstream.id, upstream.name, list(map(len, bodies)), digests]
    say.writelines([orjson.dumps(task), b"\n", *bodies])
    say.write_eof()
    read: Read = {}
    try:
        while True:
            kind = await said.readexactly(1)
            payload = await said.readexactly(LENGTH.unpack(await said.readexactly(LENGTH.size))[0])
            if kind == DONE:
                return read, int(payload)
            if kind != SLICE:
                raise Malformed(payload.decode())
            taken: Slice = pickle.loads(payload)  # noqa: S301 - our own child's words
            for id_, digest, facts in taken:
                read[id_] = before[id_] if facts is None else (digest, _held(facts, known))
            await asyncio.sleep(0)
    finally:
        say.transport.abort()


def _held(facts: ModelFacts, known: Mapping[str, ModelFacts]) -> ModelFacts:
    held = known.get(facts.id)
    return held if held == facts else facts

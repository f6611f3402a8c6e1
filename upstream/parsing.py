"""Parses lists off the event loop: small ones in a thread, big ones in a child process.

Parsing 5,000 rows holds the GIL for half a second. A child process has its own GIL, and its memory is freed when it
exits. It receives the digests of the facts that are known and sends back only the ones that differ, in slices, so that
this process does little work, and its heap is not fragmented, when little has changed.
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
"""Bytes from which a list is parsed in a child process."""
_MAX_SECONDS = 60.0
_NOTHING: Mapping[str, ModelFacts] = MappingProxyType({})

_CHILD_ENV = {"PYTHONHASHSEED": "0", "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
"""No keys. A fixed hash seed makes the digests of sets the same in every child."""

Read = dict[str, tuple[str, ModelFacts]]
"""By model id: the digest of the facts and the facts."""


class Parser:
    """Parses the lists of all providers; big ones one at a time."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._read: dict[str, Read] = {}

    async def parse(
        self, upstream: Upstream, bodies: Sequence[bytes], *, known: Mapping[str, ModelFacts] | None = None
    ) -> ParsedList:
        """Parse a list; raises Malformed if a body is not a list.

        For a big list, facts equal to `known` ones are returned as the same objects, and their digests are kept.
        """
        if sum(map(len, bodies)) < BIG:
            return await asyncio.to_thread(parse_list, upstream.adapter, upstream.id, upstream.name, bodies)
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
            raise Malformed(f"The list of {upstream.name} could not be parsed in time.") from None
        finally:
            child.kill()
            await asyncio.to_thread(child.wait)


def _spawn(peer: socket.socket) -> Popen[bytes]:
    # In a thread: the event loop would stand still while this process is forked.
    return Popen([sys.executable, "-m", "upstream.parsing_child"], stdin=peer.fileno(), stdout=DEVNULL, env=_CHILD_ENV)


async def _converse(
    peer: socket.socket, upstream: Upstream, bodies: Sequence[bytes], before: Read, known: Mapping[str, ModelFacts]
) -> tuple[Read, int]:
    reader, writer = await asyncio.open_unix_connection(sock=peer)
    digests = {id_: digest for id_, (digest, _) in before.items()}
    task = [upstream.adapter.id, upstream.id, upstream.name, list(map(len, bodies)), digests]
    writer.writelines([orjson.dumps(task), b"\n", *bodies])
    writer.write_eof()
    read: Read = {}
    try:
        while True:
            kind = await reader.readexactly(1)
            payload = await reader.readexactly(LENGTH.unpack(await reader.readexactly(LENGTH.size))[0])
            if kind == DONE:
                return read, int(payload)
            if kind != SLICE:
                raise Malformed(payload.decode())
            part: Slice = pickle.loads(payload)  # noqa: S301 - written by our own child
            for id_, digest, facts in part:
                read[id_] = before[id_] if facts is None else (digest, _known(facts, known))
            await asyncio.sleep(0)
    finally:
        writer.transport.abort()


def _known(facts: ModelFacts, known: Mapping[str, ModelFacts]) -> ModelFacts:
    same = known.get(facts.id)
    return same if same == facts else facts

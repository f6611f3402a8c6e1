"""What the log of changes costs: `log.py`.

First a follower of prices over a full log, of which few changes are of a price: the server's CPU time until it has
caught up and the changes that were decoded for it, beside a follower of all kinds over the last changes. Then the bytes
that each edge of the health of a provider with 1,700 models writes.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import counted
from benchmarks.scenarios import on_demand
from tests.endtoend.process import ServerProcess
from tests.practice.faults import Fault
from tests.practice.rows import Row, big_list
from tests.practice.upstream import PracticeUpstream

MODELS = 5_000
LISTS = (*(MODELS,) * 19, 4_000, 1_000)
"""How many models each list changes: of one in a thousand the price, of the others the details. 100,000 in all."""
ILL_MODELS = 1_700
QUIET = 2.0
"""Seconds after the last event, in which a follower looks at what is left of the log."""
DECODED = ["catalogue.ports.reading.LogPage:changes"]
"""Each page that the store gives holds the changes that were decoded for it."""
EVENTS = """
subscription ($kinds: [ChangeKind!], $since: Cursor) {
  catalogueChanged(kinds: $kinds, since: $since) { kind cursor ... on PriceChanged { model { id } } }
}
"""
HEALTH = '{ provider(id: "openrouter") { health { status } } }'
_WAL_HEADER, _FRAME_HEADER = 32, 24
_PATIENCE = 20.0


@asynccontextmanager
async def served(upstream: PracticeUpstream, calls: Path) -> AsyncIterator[ServerProcess]:
    """Run a server that reads the one list only when it is refreshed."""
    with tempfile.TemporaryDirectory() as folder:
        command = counted.command(calls, DECODED)
        async with ServerProcess(Path(folder), on_demand(upstream), command=command) as server:
            await server.refresh()
            yield server


async def fill(server: ServerProcess, upstream: PracticeUpstream) -> str:
    """Fill the log; return the cursor before the last list."""
    rows = big_list(MODELS)
    for number, count in enumerate(LISTS):
        before = await position(server)
        changed = (_changed(row, repriced=place % 1_000 == number) for place, row in enumerate(rows[:count]))
        rows = [*changed, *rows[count:]]
        upstream.set_list("openrouter", rows)
        outcome = "IN_PROGRESS"
        while outcome == "IN_PROGRESS":
            outcome = (await server.refresh("openrouter"))[0]["outcome"]
    return before


def _changed(row: Row, *, repriced: bool) -> Row:
    if repriced:
        return row | {"pricing": row["pricing"] | {"prompt": f"{Decimal(row['pricing']['prompt']) * 2:f}"}}
    return row | {"context_length": row["context_length"] + 1}


async def position(server: ServerProcess) -> str:
    """Return the cursor of now."""
    cursor: str = (await server.query("{ catalogue { cursor } }"))["catalogue"]["cursor"]
    return cursor


async def follow(server: ServerProcess, since: str, kinds: list[str] | None, count: int) -> tuple[float, float]:
    """Receive this many changes; return the CPU time of the server and the time by the clock, in seconds."""
    process = psutil.Process(server._process.pid)  # noqa: SLF001 - the class keeps no other handle
    before, began = process.cpu_times(), time.monotonic()
    async with server.subscription("sse", EVENTS, kinds=kinds, since=since) as events:
        for _ in range(count):
            event = await asyncio.wait_for(anext(events), 300)
            if event["kind"] == "RESYNC":
                raise SystemExit("The log does not reach back to the cursor.")
        took = time.monotonic() - began
        with suppress(TimeoutError):
            await asyncio.wait_for(anext(events), QUIET)
    after = process.cpu_times()
    return after.user + after.system - before.user - before.system, took


async def followers() -> None:
    """Print what followers cost."""
    with tempfile.TemporaryDirectory() as folder:
        calls = Path(folder)
        async with PracticeUpstream() as upstream:
            upstream.set_list("openrouter", big_list(MODELS))
            async with served(upstream, calls) as server:
                first = await position(server)
                last = await fill(server, upstream)
                prices = sum(LISTS) // 1_000
                for since, kinds, count in ((first, ["PRICE_CHANGED"], prices), (last, None, LISTS[-1])):
                    read = sum(counted.counts(calls).values())
                    cpu, took = await follow(server, since, kinds, count)
                    read = sum(counted.counts(calls).values()) - read
                    of = sum(LISTS) if since == first else LISTS[-1]
                    print(f"{kinds or 'all kinds'}: {count:,} changes received of {of:,}, {read:,} decoded", end="; ")
                    print(f"{cpu:.2f} s of CPU, {cpu / count * 1000:.2f} ms each, within {took:.1f} s", flush=True)


class Written:
    """Counts the bytes that a store appends to its write-ahead log, across the log's fresh starts."""

    def __init__(self, store: Path) -> None:
        self._wal = store.with_name(store.name + "-wal")
        self._salt, self._frames = self._state()
        self.bytes = 0

    def look(self) -> None:
        """Count what was appended since the last look; to be called more often than the log starts afresh."""
        salt, frames = self._state()
        self.bytes += frames if salt != self._salt else frames - self._frames
        self._salt, self._frames = salt, frames

    def _state(self) -> tuple[bytes, int]:
        """Return the salt of the log's present run and the bytes of its frames."""
        data = self._wal.read_bytes() if self._wal.exists() else b""
        salt, size = data[16:24], int.from_bytes(data[8:12], "big") + _FRAME_HEADER
        count = 0
        while salt and data[(start := _WAL_HEADER + count * size) + 8 : start + 16] == salt:
            count += 1
        return salt, count * size


async def edges() -> None:
    """Print what each edge writes."""
    with tempfile.TemporaryDirectory() as folder:
        async with PracticeUpstream() as upstream:
            upstream.set_list("openrouter", big_list(ILL_MODELS))
            async with served(upstream, Path(folder)) as server:
                store = server.data_dir / "catalogue.db"
                await asyncio.sleep(QUIET)
                before = "HEALTHY"
                for status in ("DEGRADED", "DOWN", "HEALTHY"):
                    upstream.set_fault("openrouter", None if status == "HEALTHY" else Fault.SERVER_ERROR)
                    written = await until(server, status, store)
                    print(f"{before} to {status} with {ILL_MODELS:,} models: {written / 1000:,.0f} kB written")
                    before = status


async def until(server: ServerProcess, status: str, store: Path) -> int:
    """Refresh until the provider's health is so; return the bytes written to the log of the store meanwhile."""
    written = Written(store)
    looking = asyncio.create_task(_look(written))
    async with asyncio.timeout(_PATIENCE):
        while (await server.query(HEALTH))["provider"]["health"]["status"] != status:
            await server.refresh("openrouter")
    await asyncio.sleep(QUIET)
    looking.cancel()
    written.look()
    return written.bytes


async def _look(written: Written) -> None:
    while True:
        written.look()
        await asyncio.sleep(0.02)


async def main() -> None:
    """Measure."""
    await edges()
    await followers()


if __name__ == "__main__":
    asyncio.run(main())

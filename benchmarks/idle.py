"""What an idle server costs: `idle.py [seconds [dotted.name ...]]`.

30 providers, each checked every 5 s, and one small query a second; first with 400 models each, then with 1,700. Printed
for each size: the share of one core that the server process takes once all lists are read; the calls that the upstream
saw, 360 a minute where the server keeps pace; and how often the named objects were made or functions called meanwhile
(see `counted.py`). At the end the ratio of both.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import counted
from benchmarks.practice import PracticeProcess
from tests.endtoend.process import ServerProcess

PROVIDERS = [f"p{number:02}" for number in range(30)]
SIZES = (400, 1_700)
SETTLING = 10.0
"""Seconds without anything to do before the measurement begins."""
COUNTED = ["catalogue.listing.ListingIndex", "catalogue.snapshot.MergedIndex", "catalogue.snapshot.Revision"]
QUERY = "{ catalogue { revision } models(limit: 5) { id status pricing { input(per: MILLION) } } }"
LISTED = "{ providers { modelCount health { status lastSuccessAt } models(limit: 1) { source } } }"


def settings(upstream: PracticeProcess) -> str:
    """Return the configuration: lists are read once, health is checked every 5 s."""
    lines = ["model_list_ttl = 36000", "provider_health_ttl = 5"]
    for name in PROVIDERS:
        lines += [f"[providers.{name}]", 'adapter = "openrouter"', f'name = "{name}"']
        lines += [f'base_url = "{upstream.base_url(name)}"', "requests_per_minute = 600"]
    return "\n".join(lines)


async def all_listed(server: ServerProcess, size: int) -> None:
    """Wait until every list is read and no child process is left."""
    process = psutil.Process(server._process.pid)  # noqa: SLF001 - the class keeps no other handle
    async with asyncio.timeout(600):
        while True:
            if not process.children() and _listed(await server.query(LISTED), size):
                return
            await asyncio.sleep(1)


def _listed(data: dict[str, list[dict[str, object]]], size: int) -> bool:
    return all(p["modelCount"] == size and p["models"] == [{"source": "LIVE"}] for p in data["providers"])


async def checks(upstream: PracticeProcess) -> int:
    """Return how many requests the upstream has seen."""
    async with aiohttp.ClientSession() as session, session.get(f"{upstream.url}/_log") as answer:
        return len(await answer.json())


async def ask(server: ServerProcess, seconds: float) -> None:
    """Send one query a second for some time."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        await server.query(QUERY)
        await asyncio.sleep(1)


async def measure(size: int, seconds: float, names: list[str]) -> float:
    """Print what a server with lists of this size does when idle; return its share of a core."""
    with tempfile.TemporaryDirectory() as folder:
        calls = Path(folder) / "calls"
        calls.mkdir()
        async with PracticeProcess() as upstream:
            for name in PROVIDERS:
                await upstream.list_models(name, size)
            command = counted.command(calls, names)
            async with ServerProcess(Path(folder), settings(upstream), command=command) as server:
                await all_listed(server, size)
                await ask(server, SETTLING)
                process = psutil.Process(server._process.pid)  # noqa: SLF001 - as above
                seen, made = await checks(upstream), counted.counts(calls)
                began, before = time.monotonic(), process.cpu_times()
                await ask(server, seconds)
                after, took = process.cpu_times(), time.monotonic() - began
                seen = await checks(upstream) - seen
                made = {name: count - made[name] for name, count in counted.counts(calls).items()}
    used = after.user + after.system - before.user - before.system
    print(f"{size:,} models each: {used / took:.2%} of a core over {took:.0f} s", end="; ")
    print(f"{seen} calls upstream, {used / seen * 1000:.1f} ms of CPU for each", flush=True)
    for name, count in made.items():
        print(f"    {name}: {count}", flush=True)
    return used / took


async def main(seconds: float, names: list[str]) -> None:
    """Measure both sizes."""
    few, many = [await measure(size, seconds, names) for size in SIZES]
    print(f"with {SIZES[1]:,} models each {many / few:.2f} times what it costs with {SIZES[0]}")


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0, sys.argv[2:] or COUNTED))

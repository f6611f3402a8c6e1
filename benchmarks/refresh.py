"""What a refresh of 5,000 models costs the server's loop and memory: `python benchmarks/refresh.py [rounds]`.

The catalogue runs in this process over a practice upstream in another one. A task that wakes every millisecond
measures how late it wakes, first while nothing happens (the machine's own noise), then during refreshes that change
1 % of the rows.
"""

import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import Request, urlopen

import psutil
from pydantic import SecretStr

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from polling.pace import Priority
from server.composition import running
from server.configuration import load_settings
from server.upstreams import upstreams
from tests.practice.only import only_named
from tests.practice.rows import big_list

MODELS = 5_000
PORT = 8951


class LagProbe:
    """Collects how late, in milliseconds, a task wakes that sleeps for one."""

    def __init__(self) -> None:
        self.lags: list[float] = []

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            started = time.perf_counter()
            await asyncio.sleep(0.001)
            self.lags.append((time.perf_counter() - started) * 1000 - 1)

    def take(self) -> str:
        """What was measured since the last call."""
        lags, self.lags = sorted(self.lags), []
        return f"median {statistics.median(lags):.1f}, p99 {lags[int(len(lags) * 0.99)]:.1f}, max {lags[-1]:.1f} ms"


def tell(rows: list[dict[str, object]]) -> None:
    """Have the upstream list these rows."""
    request = Request(f"http://127.0.0.1:{PORT}/_list/openrouter", json.dumps(rows).encode(), method="PUT")
    urlopen(request, timeout=30).close()  # noqa: S310 - our own upstream


def memory(process: psutil.Process) -> tuple[float, float]:
    """Resident megabytes of this process, and with its children."""
    own = process.memory_info().rss
    children = 0
    for child in process.children(recursive=True):
        try:
            if "polling.parsing_child" in child.cmdline():
                children += child.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return own / 1e6, (own + children) / 1e6


async def watch(process: psutil.Process, peaks: list[float]) -> None:
    """Keep the peaks."""
    while True:
        own, whole = await asyncio.to_thread(memory, process)
        peaks[0], peaks[1] = max(peaks[0], own), max(peaks[1], whole)
        await asyncio.sleep(0.02)


async def measure(rounds: int) -> None:
    """Run the rounds and print the figures."""
    rng, process = random.Random(7), psutil.Process()
    rows = big_list(MODELS)
    await asyncio.to_thread(tell, rows)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config.toml")
        toml = (
            f'[providers.openrouter]\nbase_url = "http://127.0.0.1:{PORT}/openrouter/api/v1"\n'
            "requests_per_minute = 6000\nburst = 1000\n"
        )
        config.write_text(only_named(toml))  # noqa: ASYNC240 - before anything is measured
        env = {"CATALOGUE_CONFIG": str(config), "CATALOGUE_DATA_DIR": folder}
        settings = load_settings(env)
        probe, peaks = LagProbe(), [0.0, 0.0]
        async with running(settings, upstreams(settings, {}), secret=SecretStr("benchmark-secret")) as parts:
            (coordinator,) = parts.poller._coordinators.values()  # noqa: SLF001 - the poller bounds a refresh
            tasks = [asyncio.create_task(probe.run())]
            await coordinator.refresh(Priority.ADMIN)
            print(f"first list      {probe.take()}")
            await asyncio.sleep(2)
            print(f"idle            {probe.take()}")
            for number in range(1, rounds + 1):
                for row in rng.sample(rows, MODELS // 100):
                    row["context_length"] = int(str(row.get("context_length") or 1000)) + 1
                await asyncio.to_thread(tell, rows)
                tasks.append(asyncio.create_task(watch(process, peaks)))
                probe.lags.clear()
                result = await coordinator.refresh(Priority.ADMIN)
                said = probe.take()
                tasks.pop().cancel()
                own, _ = memory(process)
                print(
                    f"refresh {number:2}  {said}; {result.changed} changed in {result.duration_ms:.0f} ms, {own:.0f} MB"
                )
            print(f"peak            {peaks[0]:.0f} MB, with the reading child {peaks[1]:.0f} MB")
            for task in tasks:
                task.cancel()


async def main() -> None:
    """Start the upstream beside, then measure."""
    upstream = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.practice", "--port", str(PORT), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        for _ in range(100):
            try:
                await asyncio.to_thread(lambda: urlopen(f"http://127.0.0.1:{PORT}/_log", timeout=5).close())
                break
            except OSError:
                await asyncio.sleep(0.1)
        await measure(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
    finally:
        upstream.terminate()
        await upstream.wait()


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parents[1])
    asyncio.run(main())

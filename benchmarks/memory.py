"""What the server holds in memory with 5,000 models: `python benchmarks/memory.py [refreshes]`.

The real server over a practice upstream; 1 % of the rows change before each refresh. Printed are the megabytes
resident in the server after each refresh, and the highest seen, alone and with the child that reads big lists.
"""

import asyncio
import random
import sys
import tempfile
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.endtoend.process import ServerProcess
from tests.practice.rows import big_list
from tests.practice.upstream import PracticeUpstream

MODELS = 5_000


class Memory:
    """Watches a process and keeps the highest figures."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self.own = self.whole = 0.0

    def now(self) -> tuple[float, float]:
        """Megabytes resident now: the process alone, and with its children."""
        own = children = self._process.memory_info().rss
        for child in self._process.children():
            try:
                # Before its exec a child shows its parent's pages as its own.
                if "polling.parsing_child" in child.cmdline():
                    children += child.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return own / 1e6, children / 1e6

    async def watch(self) -> None:
        """Look every 10 ms until cancelled."""
        while True:
            own, whole = self.now()
            self.own, self.whole = max(self.own, own), max(self.whole, whole)
            await asyncio.sleep(0.01)


async def main() -> None:
    """Measure."""
    rng, rows = random.Random(7), big_list(MODELS)
    async with PracticeUpstream() as upstream:
        upstream.set_list("openrouter", rows)
        toml = (
            f'[providers.openrouter]\nbase_url = "{upstream.base_url("openrouter")}"\nrequests_per_minute = 6000\n'
            "burst = 1000\n"
        )
        with tempfile.TemporaryDirectory() as folder:
            async with ServerProcess(Path(folder), toml) as server:
                memory = Memory(server._process.pid)  # noqa: SLF001 - the class keeps no other handle
                watching = asyncio.create_task(memory.watch())
                for number in range(int(sys.argv[1]) if len(sys.argv) > 1 else 10):
                    await server.refresh("openrouter")
                    await server.query("{ models { id name pricing { input output } } }")
                    own, _ = memory.now()
                    print(f"refresh {number + 1:2}: {own:.0f} MB after it")
                    for row in rng.sample(rows, MODELS // 100):
                        row["context_length"] = int(str(row.get("context_length") or 1000)) + 1
                    upstream.set_list("openrouter", rows)
                watching.cancel()
                print(f"highest: {memory.own:.0f} MB, with the reading child {memory.whole:.0f} MB")


if __name__ == "__main__":
    asyncio.run(main())

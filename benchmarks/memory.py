"""What the server holds in memory with 5,000 models: `memory.py [refreshes [scenario ...]]`.

The server as it is shipped over a practice upstream in this process. After some refreshes that change 1 % of the rows,
the scenarios follow. Printed in megabytes resident: what the server holds at rest, and the most that it held meanwhile,
alone and with the child that reads big lists.
"""

import asyncio
import sys
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.scenarios import SCENARIOS, Scenario, World, few_changed, unchanged, world


class Memory:
    """Watches a process and keeps the highest figures, in megabytes."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self.own = self.whole = 0.0

    def rest(self) -> float:
        """What the process holds now."""
        return float(self._process.memory_info().rss / 1e6)

    async def watch(self) -> None:
        """Look every 10 ms until cancelled."""
        while True:
            own = self.rest()
            self.own, self.whole = max(self.own, own), max(self.whole, own + self._children())
            await asyncio.sleep(0.01)

    def _children(self) -> float:
        total = 0.0
        for child in self._process.children():
            try:
                # Before its exec a child shows its parent's pages as its own.
                if "upstream.parsing_child" in child.cmdline():
                    total += child.memory_info().rss / 1e6
            except psutil.NoSuchProcess:
                continue
        return total


async def measure(w: World, name: str, scenario: Scenario, rounds: int) -> None:
    """Print a row."""
    memory = Memory(w.server._process.pid)  # noqa: SLF001 - the class keeps no other handle
    for _ in range(rounds):
        action = await scenario(w)
        watching = asyncio.create_task(memory.watch())
        await action()
        watching.cancel()
        await w.mend()
    print(f"{name:23}{memory.rest():8.0f}{memory.own:8.0f}{memory.whole:8.0f}", flush=True)


async def main(rounds: int, wanted: list[str]) -> None:
    """Measure."""
    print(f"{'megabytes':23}{'at rest':>8}{'most':>8}{'+ child':>8}")
    async with world() as w:
        await measure(w, "first list", unchanged, 1)
        await measure(w, f"1 % changed, {rounds} times", few_changed, rounds)
        for name, scenario in SCENARIOS.items():
            if not wanted or name in wanted:
                await measure(w, name, scenario, 2)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10, sys.argv[2:]))

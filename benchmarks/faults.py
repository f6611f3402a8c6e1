"""Whether a provider in trouble slows readers down: `faults.py [queries [fault ...]]`.

The server as it is shipped over a practice upstream in another process. For each fault, rounds of queries alternate:
all is well, all is well again, the fault is on; as each begins, the list is fetched. Printed are median and 99th
percentile of a typical round, and as ratios to the first kind. The second kind's ratio is the noise of the machine.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import aiohttp

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.endtoend.conftest import settings
from tests.endtoend.process import ServerProcess
from tests.practice.faults import Fault
from tests.practice.upstream import PracticeUpstream

PORT = 8951
ROUNDS = 10
QUERY = (
    '{ models(provider: "openrouter", capability: VISION) { id name status pricing { input(per: MILLION) } '
    "provider { health { status } } } }"
)


@dataclass
class Timed:
    """How long queries took, in milliseconds, round by round."""

    well: list[list[float]] = field(default_factory=list)
    again: list[list[float]] = field(default_factory=list)
    ill: list[list[float]] = field(default_factory=list)

    def tell(self, name: str) -> None:
        """Print a row."""
        figures = [figure for share in (0.5, 0.99) for figure in self._compared(share)]
        print(f"{name:22}" + "".join(f"{figure:8.2f}" for figure in figures), flush=True)

    def _compared(self, share: float) -> tuple[float, float, float]:
        well, again, ill = (typical(rounds, share) for rounds in (self.well, self.again, self.ill))
        return well, again / well, ill / well


def typical(rounds: list[list[float]], share: float) -> float:
    """The percentile of a round, as the median of all rounds: one in which the machine was busy moves it little."""
    return statistics.median(sorted(taken)[int(len(taken) * share)] for taken in rounds)


async def trouble(session: aiohttp.ClientSession, fault: Fault | None) -> None:
    """Have the upstream's list go wrong, or be well."""
    order = {"provider": "openrouter", "fault": fault, "path": "/models"}
    async with session.post(f"http://127.0.0.1:{PORT}/_control", json=order) as answer:
        answer.raise_for_status()


async def queried(server: ServerProcess, queries: int) -> list[float]:
    """Time one client's queries while the list is fetched."""
    fetching = asyncio.create_task(server.refresh("openrouter"))
    taken = []
    for _ in range(queries):
        started = time.perf_counter()
        await server.query(QUERY)
        taken.append((time.perf_counter() - started) * 1000)
    await fetching
    return taken


async def measure(server: ServerProcess, session: aiohttp.ClientSession, fault: Fault, queries: int) -> Timed:
    """Alternate the three kinds of rounds."""
    timed = Timed()
    for _ in range(ROUNDS):
        await trouble(session, None)
        await server.refresh("openrouter")
        await server.refresh("openrouter")
        timed.well.append(await queried(server, queries))
        timed.again.append(await queried(server, queries))
        await trouble(session, fault)
        timed.ill.append(await queried(server, queries))
    return timed


async def main(queries: int, wanted: list[str]) -> None:
    """Measure every fault."""
    everything = Timed()
    columns = ("p50", "noise", "ratio", "p99", "noise", "ratio")
    command = ("-m", "tests.practice", "--port", str(PORT))
    upstream = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    try:
        await cast("asyncio.StreamReader", upstream.stdout).readline()
        toml = settings(PracticeUpstream(PORT), list_ttl=1.0)
        with tempfile.TemporaryDirectory() as folder:
            async with aiohttp.ClientSession() as session, ServerProcess(Path(folder), toml) as server:
                await queried(server, queries)
                print(f"{'fault':22}" + "".join(f"{column:>8}" for column in columns))
                for fault in Fault:
                    if not wanted or fault.value in wanted:
                        timed = await measure(server, session, fault, queries)
                        timed.tell(fault.value)
                        for kept, more in zip(vars(everything).values(), vars(timed).values(), strict=True):
                            kept.extend(more)
        everything.tell("all together")
    finally:
        upstream.terminate()
        await upstream.wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 250, sys.argv[2:]))

"""Whether a provider in trouble slows readers down: `python benchmarks/faults.py [queries]`.

The real server over a practice upstream. Queries are timed while all is well and while a fault is on, in turn, and
each fault's median and 99th percentile are printed as ratios to the healthy phase before it. During both the server
refreshes about once a second, so that the work of a refresh is in both figures.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.endtoend.conftest import settings
from tests.endtoend.process import ServerProcess
from tests.practice.faults import Fault
from tests.practice.upstream import PracticeUpstream

QUERY = (
    '{ models(provider: "openrouter", capability: VISION) { id name status pricing { input(per: MILLION) } '
    "provider { health { status } } } }"
)


async def timed(server: ServerProcess, queries: int) -> tuple[float, float]:
    """The median and the 99th percentile of one client's queries, in milliseconds."""
    taken = []
    for _ in range(queries):
        started = time.perf_counter()
        await server.query(QUERY)
        taken.append((time.perf_counter() - started) * 1000)
    taken.sort()
    return statistics.median(taken), taken[int(len(taken) * 0.99)]


async def main() -> None:
    """Measure every fault."""
    queries = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    ratios = []
    async with PracticeUpstream() as upstream:
        with tempfile.TemporaryDirectory() as folder:
            async with ServerProcess(Path(folder), settings(upstream, list_ttl=1.0)) as server:
                await server.refresh()
                await timed(server, queries)
                print(f"{'fault':24} {'p50 well':>9} {'p50':>7} {'ratio':>6}   {'p99 well':>9} {'p99':>7} {'ratio':>6}")
                for fault in Fault:
                    upstream.clear()
                    await server.refresh()
                    well = await timed(server, queries)
                    upstream.set_fault("openrouter", fault, path="/models")
                    ill = await timed(server, queries)
                    ratios.append(ill[1] / well[1])
                    print(
                        f"{fault.name.lower():24} {well[0]:9.2f} {ill[0]:7.2f} {ill[0] / well[0]:6.2f}   "
                        f"{well[1]:9.2f} {ill[1]:7.2f} {ill[1] / well[1]:6.2f}",
                        flush=True,
                    )
    print(f"p99 ratio: median {statistics.median(ratios):.2f}, highest {max(ratios):.2f}")


if __name__ == "__main__":
    asyncio.run(main())

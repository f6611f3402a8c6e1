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


async def timed(server: ServerProcess, queries: int) -> list[float]:
    """How long one client's queries take, in milliseconds, the shortest first."""
    taken = []
    for _ in range(queries):
        started = time.perf_counter()
        await server.query(QUERY)
        taken.append((time.perf_counter() - started) * 1000)
    return sorted(taken)


def p99(taken: list[float]) -> float:
    """The 99th percentile of sorted figures."""
    return taken[int(len(taken) * 0.99)]


async def main() -> None:
    """Measure every fault."""
    queries = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    all_well, all_ill = list[float](), list[float]()
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
                    all_well, all_ill = all_well + well, all_ill + ill
                    tell(fault.name.lower(), well, ill)
    tell("all together", sorted(all_well), sorted(all_ill))


def tell(name: str, well: list[float], ill: list[float]) -> None:
    """Print a row."""
    p50s = statistics.median(well), statistics.median(ill)
    p99s = p99(well), p99(ill)
    print(
        f"{name:24} {p50s[0]:9.2f} {p50s[1]:7.2f} {p50s[1] / p50s[0]:6.2f}   "
        f"{p99s[0]:9.2f} {p99s[1]:7.2f} {p99s[1] / p99s[0]:6.2f}",
        flush=True,
    )


if __name__ == "__main__":
    asyncio.run(main())

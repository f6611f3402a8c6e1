"""What a client that keeps to the limits notices of a flood: `python benchmarks/flood.py [connections] [kind ...]`.

The abuser asks from 127.0.0.2 in a process of its own, as fast as it is answered, in each of the ways of
`tests/security/flooder.py`; the client asks from other addresses, one request after the other. Prints, for each kind,
what share of its throughput the client keeps, and its longest wait.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

import aiohttp

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.endtoend.process import ServerProcess
from tests.practice.rows import big_list
from tests.practice.upstream import PracticeUpstream
from tests.security.flooder import BODY, HEADERS, KINDS, Abuser

ABUSER = "127.0.0.2"
ROUNDS = 8
SECONDS = 1.5
"""Of one measurement."""
TARGET = 0.8
BURST = 4_000
"""Requests that suffice for one measurement; the client takes another address for the next. The abuser spends them."""
ADDRESSES = (f"127.0.1.{number}" for number in count(1))


async def main(connections: int, kinds: list[str]) -> None:
    """Measure each kind."""
    for kind in kinds:
        async with PracticeUpstream() as upstream:
            upstream.set_list("openrouter", big_list(500))
            toml = f"""
provider_health_ttl = 600
[limits]
limit_loopback = true
requests_per_minute = 600
burst = {BURST}
[providers.openrouter]
base_url = "{upstream.base_url("openrouter")}"
"""
            async with ServerProcess(Path(tempfile.mkdtemp()), toml) as server:
                await server.refresh()
                await Abuser(server.url, ABUSER, BURST).run("requests", 10)
                await _measure(server, kind, connections)


async def _measure(server: ServerProcess, kind: str, connections: int) -> None:
    ratios, worst = [], []
    for _ in range(ROUNDS):
        alone, _ = await _throughput(server)
        command = ("-m", "tests.security.flooder", server.url, ABUSER, kind, str(connections))
        flooding = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.DEVNULL)
        await _throughput(server)
        beside, longest = await _throughput(server)
        flooding.kill()
        await flooding.wait()
        ratios.append(beside / alone)
        worst.append(longest)
    said = f"{kind} over {connections} connections: the client keeps {statistics.median(ratios):.0%}"
    rounds = " ".join(f"{ratio:.0%}" for ratio in ratios)
    print(
        f"{said} (target {TARGET:.0%}; {rounds}) and waits {statistics.median(worst) * 1000:.0f} ms at most", flush=True
    )


async def _throughput(server: ServerProcess) -> tuple[float, float]:
    """Answers per second that a client at an address of its own gets, and the seconds it waited longest."""
    connector = aiohttp.TCPConnector(local_addr=(next(ADDRESSES), 0))
    waits: list[float] = []
    async with aiohttp.ClientSession(server.url, connector=connector) as session:
        while sum(waits) < SECONDS:
            began = time.perf_counter()
            async with session.post("/graphql", data=BODY, headers=HEADERS) as answer:
                await answer.read()
                answer.raise_for_status()
            waits.append(time.perf_counter() - began)
    return len(waits) / sum(waits), max(waits)


if __name__ == "__main__":
    given = sys.argv[1:]
    asyncio.run(main(int(given[0]) if given else 100, given[1:] or list(KINDS)))

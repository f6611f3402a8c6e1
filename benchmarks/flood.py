"""What a client that keeps to the limits notices of a flood: `python benchmarks/flood.py [connections] [seconds]`.

The abuser asks from 127.0.0.2 in a process of its own, as fast as it is answered; the client asks from 127.0.1.x, one
request after the other. Prints its throughput alone and beside the flood, round by round, and their ratio.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import cast

import aiohttp

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.endtoend.process import ServerProcess
from tests.practice.rows import big_list
from tests.practice.upstream import PracticeUpstream
from tests.security.flooder import BODY, HEADERS, flood

ABUSER = "127.0.0.2"
ROUNDS = 7
TARGET = 0.8
BURST = 4_000
"""Requests that suffice for one measurement; the client takes another address for the next. The abuser spends them."""
ENDLESS = 10_000_000


async def main(connections: int, seconds: float) -> None:
    """Measure some rounds."""
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
            await flood(server.url, ABUSER, connections=10, requests=BURST)
            ratios = [await _round(server, connections, seconds, number) for number in range(ROUNDS)]
    print(f"the client keeps {statistics.median(ratios):.0%} of its throughput (target {TARGET:.0%})")


async def _round(server: ServerProcess, connections: int, seconds: float, number: int) -> float:
    alone = await _throughput(server, seconds, f"127.0.1.{2 * number + 1}")
    command = ("-m", "tests.security.flooder", server.url, ABUSER, str(connections), str(ENDLESS))
    flooding = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    await cast("asyncio.StreamReader", flooding.stdout).readline()
    beside = await _throughput(server, seconds, f"127.0.1.{2 * number + 2}")
    flooding.kill()
    await flooding.wait()
    print(f"{alone:.0f} answers/s alone, {beside:.0f} beside a flood over {connections} connections")
    return beside / alone


async def _throughput(server: ServerProcess, seconds: float, host: str) -> float:
    """Answers per second that a client at an address gets."""
    answered = 0
    began = time.perf_counter()
    async with aiohttp.ClientSession(server.url, connector=aiohttp.TCPConnector(local_addr=(host, 0))) as session:
        while (took := time.perf_counter() - began) < seconds:
            async with session.post("/graphql", data=BODY, headers=HEADERS) as answer:
                await answer.read()
                answer.raise_for_status()
            answered += 1
    return answered / took


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    asyncio.run(main(*given, *(100, 2)[len(given) :]))

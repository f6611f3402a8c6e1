"""What 1,000 subscribers that never read cost: `python benchmarks/silent_subscribers.py [subscribers] [refreshes]`.

Prints the server's memory before and at its most, how many of them the server has dropped at the end, and how long
another client waited for its answers meanwhile.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.endtoend.process import ServerProcess
from tests.practice.rows import Row, big_list
from tests.practice.upstream import PracticeUpstream
from tests.security.silent import is_closed, subscribe_and_fall_silent

MODELS = 200
PATIENCE = 30.0
"""Seconds in which every silent subscriber must be gone."""
EVENTS = """
subscription { catalogueChanged { kind cursor ... on DetailsChanged { fields model { id name description } } } }
"""
MEGABYTE = 1024 * 1024


async def main(subscribers: int, refreshes: int) -> None:
    """Measure once."""
    async with PracticeUpstream() as upstream:
        upstream.set_list("openrouter", _rows(""))
        toml = f"""
provider_health_ttl = 600
[providers.openrouter]
base_url = "{upstream.base_url("openrouter")}"
requests_per_minute = 6000
burst = 1000
"""
        async with ServerProcess(Path(tempfile.mkdtemp()), toml) as server:
            await server.refresh()
            alone = server.peak_rss()
            silent = [await subscribe_and_fall_silent(server.url, EVENTS) for _ in range(subscribers)]
            opened = server.peak_rss()
            waits = await _changes(server, upstream, refreshes)
            await asyncio.sleep(PATIENCE)
            gone = sum(is_closed(connection) for connection in silent)
            print(f"{subscribers} subscribers that never read, {refreshes} lists with {MODELS} changes each")
            print(f"memory: {alone / MEGABYTE:.0f} MB alone, {opened / MEGABYTE:.0f} MB with them,", end=" ")
            print(f"{server.peak_rss() / MEGABYTE:.0f} MB at its most")
            print(f"dropped: {gone} within {PATIENCE:.0f} s of the last change")
            middle, worst = statistics.median(waits) * 1000, max(waits) * 1000
            print(f"another client waited {middle:.0f} ms for an answer, {worst:.0f} ms at most")


async def _changes(server: ServerProcess, upstream: PracticeUpstream, refreshes: int) -> list[float]:
    """Rename every model again and again; how long another client waits meanwhile, in seconds."""
    waits: list[float] = []
    for number in range(refreshes):
        upstream.set_list("openrouter", _rows(f" {number}"))
        refreshing = asyncio.create_task(server.refresh("openrouter"))
        while not refreshing.done():
            began = time.perf_counter()
            await server.query("{ catalogue { revision } }")
            waits.append(time.perf_counter() - began)
        (result,) = await refreshing
        if result["changed"] != MODELS:
            raise SystemExit(f"the list did not change: {result}")
    return waits


def _rows(suffix: str) -> list[Row]:
    return [row | {"name": row["name"] + suffix, "description": "x" * 2_000} for row in big_list(MODELS)]


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    asyncio.run(main(*given, *(1_000, 5)[len(given) :]))

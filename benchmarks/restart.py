"""How soon a restarted server answers while every provider hangs: `restart.py [starts]`.

A server reads 5,000 models and stops. Each start then takes over its data folder. Printed are the seconds from the
start of the process to its first answer: the median and the most.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.endtoend.conftest import PROVIDERS, settings
from tests.endtoend.process import ServerProcess
from tests.practice.rows import big_list
from tests.practice.upstream import PracticeUpstream

MODELS = 5_000


async def main(starts: int) -> None:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder:
        async with PracticeUpstream() as upstream:
            upstream.set_list("openrouter", big_list(MODELS))
            async with ServerProcess(Path(folder), settings(upstream)) as server:
                await server.refresh()
            for name in PROVIDERS:
                upstream.hold(name)
            seconds = [await answered(Path(folder), settings(upstream, list_ttl=600)) for _ in range(starts)]
    print(f"answered after {statistics.median(seconds):.2f} s, {max(seconds):.2f} s at most")


async def answered(folder: Path, toml: str) -> float:
    """Start a server and give the seconds until its first answer."""
    began = time.monotonic()
    async with ServerProcess(folder, toml) as server:
        data = await server.query("{ catalogue { totalModels } }")
        took = time.monotonic() - began
    assert data["catalogue"]["totalModels"] >= MODELS, data  # noqa: S101 - figures of less say nothing
    return took


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10))

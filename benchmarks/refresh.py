"""How long a refresh of 5,000 models holds the event loop: `refresh.py [rounds [scenario ...]]`.

The server as it is shipped over a practice upstream in this process. Printed for each scenario: the longest time for
which the loop was held, by the clock and by the server's own running time; the medians of the rounds' longest; and the
longest by the clock on the idle loop right before, which is the machine's own noise.
"""

import asyncio
import signal
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.scenarios import SCENARIOS, Scenario, World, unchanged, world

PROBED = (sys.executable, str(Path(__file__).with_name("lag.py")))


async def lags(w: World) -> tuple[float, float]:
    """The longest lag since the last call, in milliseconds: by the clock, and by the server's running time."""
    w.server.signal(signal.SIGUSR1)
    line = await w.server._stdout.readline()  # noqa: SLF001 - the class reads the first line alone
    late, held = map(float, line.split())
    return late, held


async def measure(w: World, name: str, scenario: Scenario, rounds: int) -> None:
    """Print a row."""
    late, held, idle = list[float](), list[float](), list[float]()
    for _ in range(rounds):
        action = await scenario(w)
        await asyncio.sleep(0.3)
        await lags(w)
        await asyncio.sleep(0.7)
        idle.append((await lags(w))[0])
        await action()
        await asyncio.sleep(0.1)
        for kept, figure in zip((late, held), await lags(w), strict=True):
            kept.append(figure)
        await w.mend()
    figures = (max(late), max(held), statistics.median(late), statistics.median(held), max(idle))
    print(f"{name:23}" + "".join(f"{figure:8.1f}" for figure in figures), flush=True)


async def main(rounds: int, wanted: list[str]) -> None:
    """Measure."""
    print(f"{'milliseconds':23}" + "".join(f"{title:>8}" for title in ("longest", "own", "median", "own", "idle")))
    async with world(PROBED) as w:
        await measure(w, "first list", unchanged, 1)
        for name, scenario in SCENARIOS.items():
            if not wanted or name in wanted:
                await measure(w, name, scenario, rounds)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5, sys.argv[2:]))

"""The server as it is shipped, with a probe beside it on its event loop: `python benchmarks/lag.py serve ...`.

Asked with SIGUSR1, it prints a line: how many milliseconds late a task woke at most that sleeps for one, since it was
asked before; and how many at most when only the time counts in which this process ran, which tells its own doing from a
machine that is busy with something else.
"""

import asyncio
import signal
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from server.cli import main

serve_on_uvloop = uvloop.run


class LagProbe:
    """Keeps how late, in milliseconds, a task woke at most that sleeps for one."""

    def __init__(self) -> None:
        self._late = self._held = 0.0

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            started, ran = time.perf_counter(), time.process_time()
            await asyncio.sleep(0.001)
            late = (time.perf_counter() - started) * 1000 - 1
            self._late = max(self._late, late)
            self._held = max(self._held, min(late, (time.process_time() - ran) * 1000))

    def tell(self) -> None:
        """Print what was measured, and begin anew."""
        print(f"{self._late:.2f} {self._held:.2f}", flush=True)
        self._late = self._held = 0.0


def run(serving: Coroutine[Any, Any, None]) -> None:
    """Run the server with the probe beside it."""

    async def both() -> None:
        probe = LagProbe()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, probe.tell)
        probing = asyncio.create_task(probe.run())
        await serving
        probing.cancel()

    serve_on_uvloop(both())


if __name__ == "__main__":
    uvloop.run = run
    main()

"""CPU time in units of a fixed piece of work, so that a slow machine and a busy one give the same figure."""

import time
from collections.abc import Callable


def unit() -> float:
    """The CPU seconds of the fixed piece of work, measured now: about a millisecond."""
    return min(_cpu_seconds(_fixed_work) for _ in range(3))


def effort(work: Callable[[], object], tries: int = 3) -> float:
    """The units that a piece of work takes in the best of some tries."""
    return min(_cpu_seconds(work) / unit() for _ in range(tries))


def _fixed_work() -> int:
    return sum(number * number for number in range(20_000))


def _cpu_seconds(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began

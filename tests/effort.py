"""CPU time in units of a fixed piece of work, so that a slow machine and a busy one give the same figure."""

import time
from collections.abc import Callable

TRIES = 3
"""A collection of garbage falls into some tries; the best counts."""


def unit() -> float:
    """The CPU seconds of the fixed piece of work, measured now: about a millisecond."""
    return min(_cpu_seconds(_fixed_work) for _ in range(TRIES))


def effort(work: Callable[[], object]) -> float:
    """The units that a piece of work takes in the best of the tries."""
    return min(_cpu_seconds(work) / unit() for _ in range(TRIES))


def _fixed_work() -> int:
    return sum(number * number for number in range(20_000))


def _cpu_seconds(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began

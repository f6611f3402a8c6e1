"""`make test-fast` leaves out the tests with the marker `process`: no other test can start one."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

COMMAND = (sys.executable, "-c", "")


def _by_the_event_loop() -> None:
    asyncio.run(asyncio.create_subprocess_exec(*COMMAND))


WAYS: list[Callable[[], object]] = [lambda: subprocess.run(COMMAND, check=True), _by_the_event_loop, os.fork]  # noqa: S603 - our own interpreter


@pytest.mark.parametrize("start", WAYS)
def test_a_test_without_the_marker_fails_when_it_starts_a_process(start: Callable[[], object]) -> None:
    with pytest.raises(pytest.fail.Exception, match="mark it with `process`"):
        start()


@pytest.mark.process
def test_a_test_with_the_marker_may_start_a_process() -> None:
    assert subprocess.run(COMMAND, check=True).returncode == 0  # noqa: S603 - our own interpreter

"""What holds for every test."""

import gc
import sys
from collections.abc import Generator

import pytest
from hypothesis import settings

# A law is no stopwatch: a busy machine must not fail it.
settings.register_profile("catalogue", deadline=None)
settings.register_profile("fast", deadline=None, max_examples=20)  # for `make test-fast`; `make test` tries more
settings.load_profile("catalogue")

STARTS = {"subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"}
"""The audit events of a process that starts."""
_running: list[pytest.Item] = []


def _guard(event: str, _: tuple[object, ...]) -> None:
    if event in STARTS and _running and _running[-1].get_closest_marker("process") is None:
        pytest.fail(f"{_running[-1].nodeid} starts a process: mark it with `process`")


sys.addaudithook(_guard)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Watch a test and its fixtures: one that starts a process without the marker `process` fails."""
    _running.append(item)
    try:
        return (yield)
    finally:
        _running.pop()


def pytest_collection_finish() -> None:
    """Keep modules and tests out of collections: they live to the end, and looking at them costs a tenth of a run."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)

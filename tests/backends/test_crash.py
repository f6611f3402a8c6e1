"""Killed at any moment, the store opens again and holds every acknowledged revision, whole."""

import asyncio
import os
import random
import sys
from pathlib import Path

import pytest

from tests.backends.committer import rows
from tests.backends.conftest import SqliteSeat
from tests.backends.samples import seqs
from tests.catalogue.strategies import PROVIDER

ROUNDS = int(os.environ.get("KILL_ROUNDS", "20"))
MOST_ACKNOWLEDGED = 40
LONGEST_SPIN = 100_000
"""Turns of an empty loop: about as long as a few commits take."""


async def killed(path: Path, rng: random.Random) -> int:
    """Let a process commit, kill it at a random moment, and say which revision it acknowledged last."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.backends.committer", str(path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    last = 0
    for _ in range(rng.randint(1, MOST_ACKNOWLEDGED)):
        last = int(await process.stdout.readline())
    for _ in range(rng.randrange(LONGEST_SPIN)):
        pass
    process.kill()
    rest = await process.stdout.read()
    await process.wait()
    whole = [line for line in rest.splitlines(keepends=True) if line.endswith(b"\n")]
    return int(whole[-1]) if whole else last


@pytest.mark.process
async def test_what_was_acknowledged_survives_kill_9_at_random_moments(tmp_path: Path) -> None:
    seat = SqliteSeat(tmp_path / "store.sqlite3")
    rng = random.Random(20260501)
    for _ in range(ROUNDS):
        acknowledged = await killed(seat.path, rng)
        store = await seat.open()
        stored = await store.load()
        assert store.notice is None
        assert stored.revision in {acknowledged, acknowledged + 1}
        assert stored.seq == 2 * stored.revision
        assert stored.listings[PROVIDER].listing == rows(stored.revision)
        page = await store.read(stored.seq - 2, 10)
        assert seqs(page.changes) == [stored.seq - 1, stored.seq]
        await seat.close()

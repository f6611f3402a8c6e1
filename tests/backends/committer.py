"""A process that commits as fast as it can and prints each revision once it is acknowledged, until it is killed.

Run as `python -m tests.backends.committer PATH`.
"""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from backends.retention import Retention
from backends.sqlite import open_store
from catalogue.listing import Listing, merged
from tests.backends.samples import begin, resync, revision
from tests.catalogue.strategies import NOW, PROVIDER, model

MODELS = 40


def rows(number: int) -> Listing:
    """The list of a revision: every name says which one."""
    return merged(Listing(provider_id=PROVIDER), [model(f"m{n}", name=f"{number}") for n in range(MODELS)], at=NOW)


async def commit_for_ever(path: Path) -> None:
    """Commit revision after revision, each with two changes and the whole list."""
    store = await open_store(path, clock=lambda: datetime.now(UTC), retention=Retention())
    await begin(store)
    number = (await store.load()).revision
    while True:
        number += 1
        changes = [resync(2 * number - 1), resync(2 * number)]
        await store.commit(revision(number, changes, of=rows(number)))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(commit_for_ever(Path(sys.argv[1])))

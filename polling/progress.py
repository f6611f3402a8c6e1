"""The steps of running refreshes, told to whoever watches; a watcher that is slow misses steps, never the last one."""

import asyncio
from collections.abc import AsyncIterator

from catalogue.refresh import RefreshProgress
from catalogue.vocabulary import RefreshStep

_BACKLOG = 200


class Progress:
    """Passes steps on to every watcher."""

    def __init__(self) -> None:
        self._watchers: set[asyncio.Queue[RefreshProgress | None]] = set()

    def tell(self, step: RefreshProgress) -> None:
        """Pass one step on; never waits."""
        for queue in self._watchers:
            if queue.qsize() < _BACKLOG or step.step is RefreshStep.DONE:
                _put(queue, step)

    async def watch(self) -> AsyncIterator[RefreshProgress]:
        """The steps from now on."""
        queue: asyncio.Queue[RefreshProgress | None] = asyncio.Queue(2 * _BACKLOG)
        self._watchers.add(queue)
        try:
            while (step := await queue.get()) is not None:
                yield step
        finally:
            self._watchers.discard(queue)

    def close(self) -> None:
        """End every watcher's stream."""
        for queue in self._watchers:
            _put(queue, None)


def _put(queue: asyncio.Queue[RefreshProgress | None], step: RefreshProgress | None) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(step)

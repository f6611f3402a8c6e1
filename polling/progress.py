"""The steps of running refreshes, for any number of watchers; a slow watcher misses steps, never the last one."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from catalogue.refresh import ProviderRefresh, RefreshProgress
from catalogue.vocabulary import RefreshStep

_BACKLOG = 200


class Progress:
    """Publishes steps to every watcher; never waits."""

    def __init__(self) -> None:
        self._watchers: set[asyncio.Queue[RefreshProgress | None]] = set()

    def publish(self, progress: RefreshProgress) -> None:
        """Publish one step."""
        for queue in self._watchers:
            if queue.qsize() < _BACKLOG or progress.step is RefreshStep.DONE:
                _put(queue, progress)

    async def watch(self) -> AsyncIterator[RefreshProgress]:
        """The steps from now on."""
        queue: asyncio.Queue[RefreshProgress | None] = asyncio.Queue(2 * _BACKLOG)
        self._watchers.add(queue)
        try:
            while (progress := await queue.get()) is not None:
                yield progress
        finally:
            self._watchers.discard(queue)

    def close(self) -> None:
        """End every watcher's stream."""
        for queue in self._watchers:
            _put(queue, None)


@dataclass(frozen=True, slots=True)
class ProviderProgress:
    """Publishes the steps of one provider's refreshes."""

    provider_id: str
    progress: Progress

    def step(self, step: RefreshStep, **details: Any) -> None:
        """Publish one step, with details that are fields of `RefreshProgress`."""
        self.progress.publish(RefreshProgress(provider_id=self.provider_id, step=step, **details))

    def received(self, count: int) -> None:
        """Publish the number of bytes received so far."""
        self.step(RefreshStep.FETCHING, received=count)

    def done(self, result: ProviderRefresh) -> None:
        """Publish the result."""
        self.step(RefreshStep.DONE, model_count=result.model_count, result=result)


def _put(queue: asyncio.Queue[RefreshProgress | None], progress: RefreshProgress | None) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(progress)

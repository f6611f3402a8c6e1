"""The steps of running refreshes, told to whoever watches; a watcher that is slow misses steps, never the last one."""

import asyncio
from collections.abc import AsyncIterator

from catalogue.refresh import ProviderRefresh, RefreshProgress
from catalogue.vocabulary import RefreshStep

_BACKLOG = 200


class Progress:
    """Passes steps on to every watcher."""

    def __init__(self) -> None:
        self._watchers: set[asyncio.Queue[RefreshProgress | None]] = set()

    def tell(
        self,
        provider_id: str,
        step: RefreshStep,
        *,
        received: int | None = None,
        model_count: int | None = None,
        result: ProviderRefresh | None = None,
    ) -> None:
        """Pass one step on; never waits."""
        told = RefreshProgress(
            provider_id=provider_id, step=step, received=received, model_count=model_count, result=result
        )
        for queue in self._watchers:
            if queue.qsize() < _BACKLOG or step is RefreshStep.DONE:
                _put(queue, told)

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

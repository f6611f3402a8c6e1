"""The feed of changes. A follower is only a position, so followers take no memory and do not slow each other."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence

from catalogue.change import EVERYTHING, Change, ChangeFilter, Resync
from catalogue.ports.clock import Clock
from catalogue.ports.errors import StoreError
from catalogue.ports.reading import Log, LogPage, Reader
from catalogue.position import Position, Timeline, position_of

RECENT = 1_000
"""The number of changes kept in memory. Older ones are read from the log."""
_PAGE = 500


class Feed:
    """Sends followers the stored changes, from any position on."""

    def __init__(self, *, log: Log, reader: Reader, timeline: Timeline, clock: Clock) -> None:
        self._log = log
        self._reader = reader
        self._timeline = timeline
        self._last = reader.snapshot.revision.position.seq
        self._clock = clock
        self._recent: deque[Change] = deque(maxlen=RECENT)
        self._news = asyncio.Event()
        self._waking = asyncio.Lock()
        self.closed = False
        """Whether streams end because the server stops."""

    def publish(self, changes: Sequence[Change], timeline: Timeline) -> None:
        """Wake the followers. The changes are stored already, and the snapshot holds them."""
        self._timeline = timeline
        if changes:
            self._recent.extend(changes)
            self._last = changes[-1].position.seq
        self._wake()

    def close(self) -> None:
        """End every follower's stream."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def oldest(self) -> Position:
        """The earliest position that can still be resumed; the current one if the store fails."""
        try:
            return await self._log.oldest()
        except StoreError:
            return self._reader.snapshot.revision.position

    async def follow(self, since: str | None, wanted: ChangeFilter = EVERYTHING) -> AsyncIterator[Change]:
        """The changes that `catalogue.ports.reading.Feed.follow` promises."""
        position = self._reader.snapshot.revision.position if since is None else position_of(since)
        while not self.closed:
            news, known = self._news, self._timeline.holds(position, last=self._last)
            page = await self._page(position.seq, wanted) if known else None
            if (page is None or page.trimmed) and (resync := self._resync(position, page)) is not None:
                position = resync.position
                yield resync
                continue
            for change in page.changes if page else ():
                yield change
            if page is not None and page.end > position.seq:
                position = self._timeline.at(page.end)
                continue
            await news.wait()
            # News wakes all followers, and each goes over changes that it may not want: together they would hold the
            # event loop. The transport that sends the changes takes turns as well.
            async with self._waking:
                await asyncio.sleep(0)

    async def _page(self, after: int, wanted: ChangeFilter) -> LogPage:
        last = self._last
        if after >= last:
            return LogPage(changes=(), end=after, trimmed=False)
        if self._recent and self._recent[0].position.seq <= after + 1:
            return _remembered(self._recent, after, wanted)
        page = await self._log.read(after, _PAGE, wanted)
        # A change that is stored but not served yet must wait: a client that reads the catalogue upon it would miss it.
        changes = [change for change in page.changes if change.position.seq <= last]
        return LogPage(changes=changes, end=min(page.end, last), trimmed=page.trimmed)

    def _resync(self, position: Position, page: LogPage | None) -> Resync | None:
        """The Resync for a position with a trimmed page or none.

        While the store fails, a position of the log's own epochs waits: one Resync follows once all is stored.
        """
        present = self._reader.snapshot.revision.position
        if page is None and self._timeline.knows(position) and not self._timeline.holds(present, last=self._last):
            return None
        gap = "not in the log any more" if page else "not in the log"
        return Resync(position=present, at=self._clock.now(), reason=f"The changes after this cursor are {gap}.")


def _remembered(recent: deque[Change], after: int, wanted: ChangeFilter) -> LogPage:
    """A page of the changes in memory, read from the end because most followers keep up."""
    tail: list[Change] = []
    for change in reversed(recent):
        if change.position.seq <= after:
            break
        tail.append(change)
    page = tail[-_PAGE:]
    page.reverse()
    return LogPage(changes=[c for c in page if wanted.passes(c)], end=page[-1].position.seq, trimmed=False)

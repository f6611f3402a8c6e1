"""The feed of changes: each follower keeps only its position, so that none costs memory and none slows another."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from itertools import dropwhile

from catalogue import cursor
from catalogue.change import Change, Resync
from catalogue.ports.clock import Clock
from catalogue.ports.reading import Reader
from catalogue.ports.store import Store

RECENT = 1_000
"""So many changes are kept in memory; older ones are read from the store."""
_PAGE = 500


class Feed:
    """Tells followers what the ledger has stored, from any position on; `epoch` is the log's own."""

    def __init__(self, *, store: Store, reader: Reader, epoch: str, clock: Clock) -> None:
        self._store = store
        self._reader = reader
        self._clock = clock
        self._epoch = epoch
        self._recent: deque[Change] = deque(maxlen=RECENT)
        self._news = asyncio.Event()
        self._waking = asyncio.Lock()
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether streams end because the server stops."""
        return self._closed

    def publish(self, changes: Sequence[Change]) -> None:
        """Wake the followers; the changes are stored already and the snapshot holds them."""
        self._recent.extend(changes)
        self._wake()

    def close(self) -> None:
        """End every follower's stream."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def follow(self, since: str | None) -> AsyncIterator[Change]:
        """Every change after a cursor, or from now on, each exactly once; Resync where the log cannot tell.

        Raises BadUserInput at the first step for a cursor that is not readable.
        """
        position, lost = self._start(since)
        # What was read while the store failed is in no log, so no change leads on from it.
        unlogged = self._reader.snapshot.epoch != self._epoch and not self._is_logged(since)
        if lost:
            yield self._resync(lost, position)
        while not self._closed:
            news = self._news
            if unlogged and self._reader.snapshot.epoch == self._epoch:
                unlogged, position = False, self._reader.snapshot.seq
                yield self._resync("The log does not tell what was served while the store failed.", position)
                continue
            changes, trimmed = await self._after(position)
            if trimmed:
                position = self._reader.snapshot.seq
                yield self._resync("The log no longer holds what followed this cursor.", position)
            for change in changes:
                position = change.seq
                yield change
            if not changes and not trimmed:
                await news.wait()
                # News wakes all followers, and each goes over changes that it may not even want: together they would
                # hold the loop. Whoever answers with them has to take turns for that as well.
                async with self._waking:
                    await asyncio.sleep(0)

    def _start(self, since: str | None) -> tuple[int, str | None]:
        snapshot = self._reader.snapshot
        if since is None:
            return snapshot.seq, None
        epoch, seq = cursor.decode(since)
        if epoch not in {snapshot.epoch, self._epoch}:
            return snapshot.seq, "This cursor is of another log."
        if seq > snapshot.seq:
            return snapshot.seq, "This cursor is ahead of the log."
        return seq, None

    def _is_logged(self, since: str | None) -> bool:
        return since is not None and cursor.decode(since)[0] == self._epoch

    async def _after(self, position: int) -> tuple[Sequence[Change], bool]:
        served = self._reader.snapshot.seq
        if position >= served:
            return (), False
        if self._recent and self._recent[0].seq <= position + 1:
            if self._recent[-1].seq - position <= _PAGE:  # a follower that keeps up looks at the end alone
                return _tail(self._recent, position), False
            return list(dropwhile(lambda c: c.seq <= position, self._recent))[:_PAGE], False
        page = await self._store.read(position, _PAGE)
        # What is stored but not served yet must not be told yet: who reads the catalogue upon it would miss it there.
        return [change for change in page.changes if change.seq <= served], page.trimmed

    def _resync(self, reason: str, seq: int) -> Resync:
        return Resync(seq=seq, at=self._clock.now(), reason=reason)


def _tail(recent: deque[Change], position: int) -> list[Change]:
    tail: list[Change] = []
    for change in reversed(recent):
        if change.seq <= position:
            break
        tail.append(change)
    tail.reverse()
    return tail

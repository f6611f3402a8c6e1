"""A small store that forgets what was used longest ago, bounded in entries and in weight."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class BoundedLru(Generic[V]):
    """Maps keys to values; the weight of an entry is whatever unit `weight` is counted in, given on storing.

    `heaviest` is what one entry may weigh, so that a few do not drive out all others; by default all of `weight`.
    """

    def __init__(self, *, entries: int, weight: int, heaviest: int | None = None) -> None:
        self._entries = entries
        self._room = weight
        self._heaviest = weight if heaviest is None else heaviest
        self._held: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._held

    def get(self, key: Hashable) -> V | None:
        """Look a value up, which makes it the most recently used one."""
        found = self._held.get(key)
        if found is None:
            return None
        self._held.move_to_end(key)
        return found[0]

    def put(self, key: Hashable, value: V, weight: int) -> None:
        """Keep a value, and drop the oldest ones until all fit; one that is too heavy is not kept and drops none."""
        self._drop(key)
        if weight > self._heaviest:
            return
        self._held[key] = (value, weight)
        self._room -= weight
        while self._held and (self._room < 0 or len(self._held) > self._entries):
            self._drop(next(iter(self._held)))

    def _drop(self, key: Hashable) -> None:
        _, weight = self._held.pop(key, (None, 0))
        self._room += weight

"""Limits the different keys of one provider that a client brings in a minute.

Calls with callers' keys share a few places and half of the provider's allowance, so trying keys costs others. Holders
of a token are not counted: a service that speaks for many users may bring the key of each.
"""

import time
from collections.abc import Callable, Mapping
from math import ceil

from cachetools import LRUCache

from catalogue.errors import RateLimited

MOST_KEYS = 10
SECONDS = 60.0
MAX_KEPT = 5_000
"""Clients, each with one provider, whose keys are remembered."""


class KeyTrials:
    """The keys that each client brought lately, by their fingerprints; `clock` gives monotonic seconds."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, max_kept: int = MAX_KEPT) -> None:
        self._clock = clock
        self._brought: LRUCache[tuple[str, str], dict[str, float]] = LRUCache(max_kept)

    def admit(self, client: str, fingerprints: Mapping[str, str]) -> None:
        """Count the keys of a request, given as fingerprints by provider id.

        Raises:
            RateLimited: one would be too many; then none of them is counted.
        """
        now, lately = self._clock(), {}
        for provider_id, fingerprint in fingerprints.items():
            brought = self._brought.get((client, provider_id), {})
            since = lately[provider_id] = {known: at for known, at in brought.items() if now < at + SECONDS}
            if fingerprint not in since and len(since) >= MOST_KEYS:
                wait = min(since.values()) + SECONDS - now
                raise RateLimited(
                    f"Too many different keys of {provider_id}: {MOST_KEYS} a minute are allowed. "
                    f"Try again in {ceil(wait)} s.",
                    retry_after=wait,
                )
            since.setdefault(fingerprint, now)
        for provider_id, since in lately.items():
            self._brought[client, provider_id] = since

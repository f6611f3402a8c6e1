"""Data that is read on demand: endpoints, and lists with callers' own keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr

from catalogue.endpoint import EndpointList
from catalogue.snapshot import Snapshot
from catalogue.vocabulary import KeyCheckOutcome


class EndpointSource(Protocol):
    """Reads endpoints on demand, within a bounded time."""

    async def endpoints(self, model_ids: Sequence[str]) -> Sequence[EndpointList]:
        """The endpoints of some models, in the same order; those that take longer are PENDING."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCheck:
    """The result of checking a caller's key."""

    outcome: KeyCheckOutcome
    model_count: int | None = None
    """How many models the key can use, where that is known."""
    message: str


class CallerLists(Protocol):
    """Reads a caller's own lists with the caller's own keys, within a bounded time."""

    async def overlay(self, snapshot: Snapshot, keys: Mapping[str, SecretStr]) -> "Overlay":
        """The snapshot as this caller sees it."""

    async def check(self, provider_id: str, key: SecretStr) -> KeyCheck:
        """Try a key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """A snapshot with a caller's own lists in place of the server's."""

    snapshot: Snapshot
    own: tuple[str, ...] = ()
    """The providers for which it holds the caller's list."""
    waited: bool = False
    """Whether the answer had to wait for a provider."""

"""The context of one operation: its caller, its snapshot, and its batched lookups."""

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial

import strawberry
from strawberry.dataloader import DataLoader

from catalogue.endpoint import EndpointList
from catalogue.errors import BadUserInput
from catalogue.health import Health
from catalogue.history import HealthBucket, Incident
from catalogue.listing import Listing
from catalogue.ports.on_demand import Overlay
from catalogue.position import Position
from catalogue.provider import Profile, ProviderState, provider_state
from catalogue.scope import Scope
from catalogue.snapshot import Snapshot
from catalogue.vocabulary import UptimeWindow
from resolvers.services import Services

MOST_ENDPOINT_LISTS = 20
"""The number of models whose endpoints one request may read."""
_RENEW_SECONDS = 1.0
"""Time for callers' lists after a mutation, which has used most of its time."""


class Context:
    """The data that one operation's resolvers and types read."""

    def __init__(self, scope: Scope, services: Services) -> None:
        self.scope = scope
        self.services = services
        self.private = False
        """Whether the response holds data of this caller only. Read after the operation."""
        self.cost = 0
        """The cost of the operation, set by the executor."""
        self._overlay: Overlay | None = None
        self._reading: asyncio.Task[Overlay] | None = None
        # A loader that refers to this object would make a reference cycle, which only the garbage collector frees.
        # Until then, or forever after gc.freeze, an old snapshot would stay in memory.
        self._health = DataLoader(partial(_load_health, services))
        self._incidents = DataLoader(partial(_load_incidents, services))
        self._endpoints = DataLoader(_EndpointLoad(services))

    @property
    def snapshot(self) -> Snapshot:
        """The catalogue that this operation reads: the public one, unless `overlay` was awaited before."""
        if self._overlay is None:
            self._overlay = Overlay(snapshot=self.services.reader.snapshot)
        return self._overlay.snapshot

    async def overlay(self) -> Overlay:
        """Return the catalogue with the caller's own lists, captured once. All root fields of a query start here."""
        if self._overlay is None and self.scope.keys:
            self.private = True
            if self._reading is None:
                snapshot = self.services.reader.snapshot
                self._reading = asyncio.ensure_future(self.services.own_lists.overlay(snapshot, self.scope.keys))
            self._overlay = await self._reading
        return self._overlay or Overlay(snapshot=self.snapshot)

    async def renew(self) -> Snapshot:
        """Capture the catalogue again after a mutation, with those of the caller's own lists that are in memory."""
        self._overlay = self._reading = None
        with suppress(TimeoutError):
            async with asyncio.timeout(_RENEW_SECONDS):
                await self.overlay()
        return self.snapshot

    def now(self) -> datetime:
        """Return the time in UTC."""
        return self.services.clock()

    def provider(self, provider_id: str) -> ProviderState:
        """Return a provider. One that only a stored change still names is shown as not configured."""
        return self.snapshot.providers.get(provider_id) or provider_state(
            Profile(id=provider_id, name=provider_id, configured=False),
            Listing(provider_id=provider_id),
            Health(provider_id=provider_id),
            now=self.now(),
        )

    def oldest(self) -> Awaitable[Position]:
        """Return the oldest position from which the change log can be resumed."""
        return self.services.feed.oldest()

    def health(self, provider_id: str, window: UptimeWindow) -> Awaitable[Sequence[HealthBucket]]:
        """Return a provider's health over time, oldest first. All providers are read at once per window."""
        return self._health.load((provider_id, window))

    def incidents(self, provider_id: str, limit: int) -> Awaitable[Sequence[Incident]]:
        """Return a provider's incidents, newest first. All providers are read at once per limit."""
        return self._incidents.load((provider_id, limit))

    def endpoints(self, model_id: str) -> Awaitable[EndpointList]:
        """Return a model's endpoints. All of a request's fail with BadUserInput if it asks for too many."""
        return self._endpoints.load(model_id)


async def _load_health(services: Services, keys: list[tuple[str, UptimeWindow]]) -> list[Sequence[HealthBucket]]:
    now, history = services.clock(), services.history
    windows = dict.fromkeys(window for _, window in keys)
    found = {window: await history.health([id_ for id_, w in keys if w is window], window, now) for window in windows}
    return [found[window].get(id_, ()) for id_, window in keys]


async def _load_incidents(services: Services, keys: list[tuple[str, int]]) -> list[Sequence[Incident]]:
    limits = dict.fromkeys(limit for _, limit in keys)
    found = {limit: await services.history.incidents([id_ for id_, n in keys if n == limit], limit) for limit in limits}
    return [found[limit].get(id_, ()) for id_, limit in keys]


class _EndpointLoad:
    """Reads endpoints, up to a number of models per request."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._asked = 0

    async def __call__(self, model_ids: list[str]) -> Sequence[EndpointList]:
        self._asked += len(model_ids)
        if self._asked > MOST_ENDPOINT_LISTS:
            raise BadUserInput(
                f"Endpoints of at most {MOST_ENDPOINT_LISTS} models can be read in one request. "
                "Ask for fewer models, with 'limit' or 'first'."
            )
        return await self._services.endpoints.endpoints(model_ids)


Info = strawberry.Info[Context, object]

"""One operation's view of the world: whose it is, the one snapshot it reads, and its batched lookups."""

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial

from strawberry.dataloader import DataLoader

from catalogue.endpoint import EndpointList
from catalogue.errors import BadUserInput
from catalogue.health import Standing
from catalogue.history import HealthBucket, Incident
from catalogue.listing import Listing
from catalogue.ports.on_demand import Overlay
from catalogue.scope import Scope
from catalogue.snapshot import Profile, ProviderState, Snapshot
from catalogue.vocabulary import UptimeWindow
from resolvers.services import Services

MOST_ENDPOINT_LISTS = 20
"""So many models' endpoints are read in one request."""
_RENEW_SECONDS = 1.0
"""For own lists after a mutation, which has had its own time before."""


class Context:
    """What resolvers and types read; made for one operation and thrown away with it."""

    def __init__(self, scope: Scope, services: Services) -> None:
        self.scope = scope
        self.services = services
        self.private = False
        """Whether the answer holds something of this caller alone; read after the operation."""
        self.cost = 0
        """What the operation costs; set by who runs it."""
        self._overlay: Overlay | None = None
        self._reading: asyncio.Task[Overlay] | None = None
        # Loaders that knew this object would make a circle with it, which only the garbage collector could end: with it
        # an old snapshot would live on, for good where the collector has been told not to look (gc.freeze).
        self._health = DataLoader(partial(_load_health, services))
        self._incidents = DataLoader(partial(_load_incidents, services))
        self._endpoints = DataLoader(_EndpointLoad(services))

    @property
    def snapshot(self) -> Snapshot:
        """The catalogue that this operation reads; the public one unless `overlay` was awaited before."""
        if self._overlay is None:
            self._overlay = Overlay(snapshot=self.services.reader.snapshot)
        return self._overlay.snapshot

    async def overlay(self) -> Overlay:
        """The catalogue with the caller's own lists, captured once; every public field of a query begins here."""
        if self._overlay is None and self.scope.keys:
            self.private = True
            if self._reading is None:
                snapshot = self.services.reader.snapshot
                self._reading = asyncio.ensure_future(self.services.own_lists.overlay(snapshot, self.scope.keys))
            self._overlay = await self._reading
        return self._overlay or Overlay(snapshot=self.snapshot)

    async def renew(self) -> Snapshot:
        """Read the catalogue anew, after a mutation moved it, with those of the caller's own lists that are there."""
        self._overlay = self._reading = None
        with suppress(TimeoutError):
            async with asyncio.timeout(_RENEW_SECONDS):
                await self.overlay()
        return self.snapshot

    def now(self) -> datetime:
        """The time in UTC."""
        return self.services.clock()

    def provider(self, provider_id: str) -> ProviderState:
        """A provider, also one that a stored change still names and the configuration no longer does."""
        return self.snapshot.providers.get(provider_id) or ProviderState(
            profile=Profile(id=provider_id, name=provider_id, configured=False),
            listing=Listing(provider_id=provider_id),
            standing=Standing(provider_id=provider_id),
        )

    def health(self, provider_id: str, window: UptimeWindow) -> Awaitable[Sequence[HealthBucket]]:
        """A provider's health over time, oldest first; one read a window, however many providers."""
        return self._health.load((provider_id, window))

    def incidents(self, provider_id: str, limit: int) -> Awaitable[Sequence[Incident]]:
        """A provider's incidents, newest first; one read a limit, however many providers."""
        return self._incidents.load((provider_id, limit))

    def endpoints(self, model_id: str) -> Awaitable[EndpointList]:
        """A model's endpoints; BadUserInput for all of them when a request asks for too many."""
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
    """Reads endpoints, of so many models in one request at most."""

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

"""Two providers with public lists and callers' keys, called when the test lets them; nothing leaves the event loop."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from catalogue.facts import ModelFacts
from catalogue.health import Health
from catalogue.listing import Listing
from catalogue.ports.on_demand import Overlay
from catalogue.provider import ProviderState, provider_state
from catalogue.snapshot import snapshot_of
from catalogue.vocabulary import HealthStatus
from polling.callers import OwnLists
from polling.deps import OnDemandDeps
from providers import openai_compatible, openrouter
from providers._kit.adapter import CallLimits
from tests.polling.still_clock import StillClock, settle
from upstream.errors import Unauthorized, UpstreamError
from upstream.http import Response
from upstream.parse import ParsedList, parse_list
from upstream.parsing import Parser
from upstream.upstream import Upstream

TTL = timedelta(minutes=10)
PUBLIC = ("lab/common", "lab/public")
KEY, OTHER = "sk-canary-alice-0001", "sk-canary-bob-00002"
_LIMITS = CallLimits(requests_per_minute=10_000, burst=5_000)
OPENROUTER = Upstream(
    id="openrouter",
    name="OpenRouter",
    adapter=openrouter.ADAPTER,
    base_url="https://openrouter.test/api/v1",
    calls=_LIMITS,
)
GATEWAY = Upstream(
    id="gateway",
    name="Gateway",
    adapter=openai_compatible.ADAPTER,
    base_url="https://gateway.test/v1",
    calls=_LIMITS,
)


class InLoop(ThreadPoolExecutor):
    """Runs what is given to a thread at once, so that the tests stay in step."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class PlainParser(Parser):
    """Parses where it stands."""

    async def parse(
        self, upstream: Upstream, bodies: Sequence[bytes], *, known: Mapping[str, ModelFacts] | None = None
    ) -> ParsedList:
        assert known is None, "a caller's list leaves no records behind"
        return parse_list(upstream.adapter, upstream.id, upstream.name, bodies)


class World:
    """What the callers' lists are read in."""

    def __init__(self, *upstreams: Upstream, **settings: Any) -> None:
        asyncio.get_running_loop().set_default_executor(InLoop())
        self.clock = StillClock()
        self.upstreams = {u.id: u for u in upstreams or (OPENROUTER, GATEWAY)}
        self.listed: dict[str, Sequence[str] | UpstreamError] = {}
        """What each key is answered with."""
        self.open_lists = False
        """Whether lists are shown to keys that the check refuses."""
        self.check: UpstreamError | None = None
        """How the check of keys is out of order."""
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        """The calls for lists."""
        self.checked: list[str] = []
        """Where keys were checked."""
        self.etags = False
        self.go = asyncio.Event()
        self.go.set()
        self.snapshot = snapshot_of(
            (self._state(u, PUBLIC) for u in self.upstreams.values()), number=7, updated_at=self.clock.now()
        )
        deps = OnDemandDeps(
            reader=self,
            upstreams=self.upstreams,
            calls=dict.fromkeys(self.upstreams, self.call),
            parser=PlainParser(),
            secret=SecretStr("installation"),
            clock=self.clock,
        )
        self.lists = OwnLists(deps, list_ttl=TTL, **settings)

    def _state(self, upstream: Upstream, own_ids: Sequence[str]) -> ProviderState:
        now = self.clock.now()
        ids = [f"{upstream.id}/{own_id}" for own_id in own_ids]
        facts = parse_list(upstream.adapter, upstream.id, upstream.name, [body(own_ids)]).models
        listing = Listing(
            provider_id=upstream.id,
            models={f.id: f for f in facts},
            first_seen=dict.fromkeys(ids, now - timedelta(days=30)),
            is_reference=True,
        )
        health = Health(provider_id=upstream.id, status=HealthStatus.HEALTHY, last_checked=now)
        return provider_state(upstream.profile(TTL), listing, health, as_of=now, confirmed=True, now=now)

    def stands(self, provider_id: str, health: Health) -> None:
        state = replace(self.snapshot.providers[provider_id], health=health)
        self.snapshot = self.snapshot.with_provider(state.at(self.clock.now()))

    async def call(self, url: str, headers: Mapping[str, str]) -> Response:
        key = headers["Authorization"].removeprefix("Bearer ")
        rows = self.listed.get(key, Unauthorized("The provider rejected the key, or requires one (status 401)."))
        if url.endswith("/key"):
            self.checked.append(url)
            return await self._check(rows)
        self.asked.append((url, headers))
        await self.go.wait()
        if isinstance(rows, UpstreamError):
            if not self.open_lists:
                raise rows
            rows = PUBLIC
        etag = f'"{key[-5:]}{len(rows)}"'
        if self.etags and headers.get("If-None-Match") == etag:
            return Response(status=304, body=b"", headers={}, latency_ms=1.0)
        return Response(status=200, body=body(rows), headers={"etag": etag} if self.etags else {}, latency_ms=1.0)

    async def _check(self, rows: Sequence[str] | UpstreamError) -> Response:
        await self.go.wait()
        if self.check is not None or isinstance(rows, Unauthorized):
            raise self.check or rows  # type: ignore[misc]  # one of them is an error
        return Response(status=200, body=b"{}", headers={}, latency_ms=1.0)

    async def see(self, **keys: str) -> Overlay:
        """What a caller with these keys by provider sees."""
        return await self.lists.overlay(self.snapshot, {id_: SecretStr(key) for id_, key in keys.items()})

    async def see_late(self, **keys: str) -> Overlay:
        """The same for a caller whose wait runs out."""
        reader = asyncio.create_task(self.see(**keys))
        await settle()
        self.clock.advance(2)
        return await reader


def body(own_ids: Sequence[str]) -> bytes:
    """A list that both providers' adapters read."""
    rows = [{"id": id_, "name": id_, "pricing": {"prompt": "0.000001", "completion": "0.000002"}} for id_ in own_ids]
    return json.dumps({"data": rows}).encode()


def ids(overlay: Overlay, provider_id: str = "openrouter") -> list[str]:
    """A provider's own model ids as the caller sees them."""
    return [id_.partition("/")[2] for id_ in overlay.snapshot.providers[provider_id].listing.models]


def facts(overlay: Overlay, own_id: str) -> ModelFacts:
    """One of OpenRouter's models as the caller sees it."""
    return overlay.snapshot.providers["openrouter"].listing.models[f"openrouter/{own_id}"]

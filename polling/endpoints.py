"""The endpoints of models, read when somebody asks, with the server's key; what they say never changes a status."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial

from pydantic import SecretStr

from catalogue.endpoint import Endpoint, EndpointList
from catalogue.fingerprint import fingerprint
from catalogue.health import admits
from catalogue.ports.clock import Clock
from catalogue.ports.reading import Reader
from catalogue.provider import ProviderState
from catalogue.snapshot import Snapshot
from catalogue.vocabulary import EndpointState, ProviderErrorCode
from polling.cache import Cache, Failure, Found, Memory, Storage, Windows, failure_of
from upstream.errors import Malformed, UpstreamError
from upstream.lists import Call
from upstream.parse import parse_endpoints
from upstream.upstream import Upstream

ENTRIES = 1_000
"""Models whose endpoints are kept; a popular one has twenty endpoints, most have two."""
_FLIGHTS = 32
"""Of one provider at once; a request asks for twenty models at most."""
_MAX_BODY = 262_144
"""Bytes; the longest recorded has 24,000."""
_BIG = 10_000
"""Bytes from which on endpoints are read beside the event loop."""
_FAILED_SECONDS = 30.0

Endpoints = tuple[Endpoint, ...]

_UNSUPPORTED = EndpointList(state=EndpointState.UNSUPPORTED)
_FAILED = EndpointList(state=EndpointState.FAILED)
_PENDING = EndpointList(state=EndpointState.PENDING)


class OnDemandEndpoints:
    """Reads endpoints, each model's by one call at a time, and keeps them for `ttl`; served stale for as long again."""

    def __init__(
        self,
        *,
        reader: Reader,
        upstreams: Mapping[str, Upstream],
        calls: Mapping[str, Call],
        secret: SecretStr,
        clock: Clock,
        ttl: timedelta = timedelta(hours=1),
        wait: float = 1.0,
        storage: Storage[Found[Endpoints]] | None = None,
    ) -> None:
        """Take each provider's way to call, at the priority of demand; `wait` is in seconds, for a whole batch."""
        self._reader = reader
        self._upstreams = upstreams
        self._calls = calls
        self._secret = secret
        self._clock = clock
        self._wait = wait
        seconds = ttl.total_seconds()
        windows = Windows(fresh=seconds, stale=seconds)
        kept = storage or Memory(entries=ENTRIES)
        self._caches = {id_: Cache(kept, windows=windows, flights=_FLIGHTS, clock=clock) for id_ in upstreams}

    async def endpoints(self, model_ids: Sequence[str]) -> Sequence[EndpointList]:
        """The endpoints of some models, in the same order; what takes longer than the wait is PENDING."""
        snapshot = self._reader.snapshot
        return await asyncio.gather(*(self._endpoints(snapshot, id_) for id_ in model_ids))

    async def close(self) -> None:
        """End what is under way."""
        for cache in self._caches.values():
            await cache.close()

    async def _endpoints(self, snapshot: Snapshot, model_id: str) -> EndpointList:
        provider_id, _, own_id = model_id.partition("/")
        upstream = self._upstreams.get(provider_id)
        url = upstream.endpoints_url(own_id) if upstream and snapshot.model(model_id) else None
        if upstream is None or url is None:
            return _UNSUPPORTED
        state = snapshot.providers[provider_id]
        key = _key(upstream, state)
        mark = fingerprint(self._secret, provider_id, key) if key else "public"
        read = partial(self._read, upstream, url, key) if admits(state.health) else None
        found = await self._caches[provider_id].get(
            f"{provider_id} {upstream.base_url} {mark} {own_id}", read, wait=self._wait
        )
        if found.value is not None:
            return EndpointList(state=EndpointState.READY, items=found.value, as_of=found.read_at)
        return _FAILED if found.failure is not None or read is None else _PENDING

    async def _read(
        self, upstream: Upstream, url: str, key: SecretStr | None, _: Endpoints | None
    ) -> Endpoints | Failure:
        try:
            answer = await self._calls[upstream.id](url, upstream.request_headers(key))
            if len(answer.body) > _MAX_BODY:
                raise Malformed(f"The endpoints of a model are larger than {_MAX_BODY:,} bytes.")
            if len(answer.body) < _BIG:
                return parse_endpoints(upstream.adapter.id, answer.body)
            return await asyncio.to_thread(parse_endpoints, upstream.adapter.id, answer.body)
        except UpstreamError as error:
            return failure_of(error, at=self._clock.now(), seconds=_FAILED_SECONDS)


def _key(upstream: Upstream, state: ProviderState) -> SecretStr | None:
    """The server's key, unless the provider refuses it for now."""
    refused = state.health.error is not None and state.health.error.code is ProviderErrorCode.UNAUTHORIZED
    return None if refused else upstream.key

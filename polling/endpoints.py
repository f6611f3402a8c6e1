"""The endpoints of models, read on demand with the server's key; they never change a status."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from pydantic import SecretStr

from catalogue.endpoint import Endpoint, EndpointList
from catalogue.fingerprint import fingerprint
from catalogue.health import admits
from catalogue.provider import ProviderState
from catalogue.snapshot import Snapshot
from catalogue.vocabulary import EndpointState, ProviderErrorCode
from polling.cache import Cache, Failure, Found, Memory, Windows, failure_of
from polling.deps import OnDemandDeps
from upstream.errors import Malformed, UpstreamError
from upstream.parse import parse_endpoints
from upstream.upstream import Upstream

ENTRIES = 1_000
"""Models whose endpoints are kept; a popular one has twenty endpoints, most have two."""
_FLIGHTS = 32
"""Of one provider at once; a request asks for twenty models at most."""
_MAX_BODY = 262_144
"""Bytes; the longest recorded has 24,000."""
_BIG = 10_000
"""Bytes from which endpoints are parsed in a thread."""
_FAILED_SECONDS = 30.0

Endpoints = tuple[Endpoint, ...]

_UNSUPPORTED = EndpointList(state=EndpointState.UNSUPPORTED)
_FAILED = EndpointList(state=EndpointState.FAILED)
_PENDING = EndpointList(state=EndpointState.PENDING)


class OnDemandEndpoints:
    """Reads endpoints, each model's by one call at a time, and keeps them for `ttl`; served stale for as long again."""

    def __init__(self, deps: OnDemandDeps, *, ttl: timedelta = timedelta(hours=1), wait: float = 1.0) -> None:
        """`wait` is in seconds, for a whole batch."""
        self._deps = deps
        self._wait = wait
        windows = Windows(fresh=ttl.total_seconds(), stale=ttl.total_seconds())
        kept = Memory[Found[Endpoints]](entries=ENTRIES)
        self._caches = {id_: Cache(kept, windows=windows, flights=_FLIGHTS, clock=deps.clock) for id_ in deps.upstreams}

    async def endpoints(self, model_ids: Sequence[str]) -> Sequence[EndpointList]:
        """The endpoints of some models, in the same order; those that take longer than the wait are PENDING."""
        snapshot = self._deps.reader.snapshot
        return await asyncio.gather(*(self._endpoints(snapshot, id_) for id_ in model_ids))

    async def close(self) -> None:
        """End all reads."""
        for cache in self._caches.values():
            await cache.close()

    async def _endpoints(self, snapshot: Snapshot, model_id: str) -> EndpointList:
        provider_id, _, own_id = model_id.partition("/")
        upstream = self._deps.upstreams.get(provider_id)
        url = upstream.endpoints_url(own_id) if upstream and snapshot.model(model_id) else None
        if upstream is None or url is None:
            return _UNSUPPORTED
        state = snapshot.providers[provider_id]
        key = _key(upstream, state)
        mark = fingerprint(self._deps.secret, provider_id, key) if key else "public"
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
            answer = await self._deps.calls[upstream.id](url, upstream.request_headers(key))
            if len(answer.body) > _MAX_BODY:
                raise Malformed(f"The endpoints of a model are larger than {_MAX_BODY:,} bytes.")
            if len(answer.body) < _BIG:
                return parse_endpoints(upstream.adapter, answer.body)
            return await asyncio.to_thread(parse_endpoints, upstream.adapter, answer.body)
        except UpstreamError as error:
            return failure_of(error, at=self._deps.clock.now(), seconds=_FAILED_SECONDS)


def _key(upstream: Upstream, state: ProviderState) -> SecretStr | None:
    """The server's key, unless the provider refuses it for now."""
    refused = state.health.error is not None and state.health.error.code is ProviderErrorCode.UNAUTHORIZED
    return None if refused else upstream.key

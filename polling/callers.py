"""Callers' own lists, read with callers' own keys: only in memory, and only for callers with the same key.

A list is found only by the fingerprint of its key, so no caller can reach another's list. The key is kept only by the
flight that uses it. The server's own state never changes: no public change, no health.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

from cachetools import LRUCache
from pydantic import SecretStr

from catalogue.errors import UnknownProvider
from catalogue.fingerprint import fingerprint
from catalogue.health import admits
from catalogue.listing import Listing
from catalogue.ports.clock import Clock
from catalogue.ports.on_demand import KeyCheck, Overlay
from catalogue.provider import ProviderState
from catalogue.snapshot import Snapshot
from catalogue.vocabulary import KeyCheckOutcome
from polling.cache import Cache, Failure, Found, Memory, Windows, failure_of
from polling.deps import OnDemandDeps
from polling.own_list import OwnList, own_list, refused
from upstream.call_rate import CallRateLimiter, Priority
from upstream.errors import TimedOut, Unauthorized, UpstreamError
from upstream.http import Response
from upstream.key_check import check_key, verify_key
from upstream.lists import Call, FetchedList, fetch_list
from upstream.upstream import Upstream

_FLIGHTS = 4
"""Flights of one provider at once with keys that have read a list before, and as many with other keys, so that
made-up keys do not crowd out good ones."""
_GOOD_KEYS = 1_000
"""The most recent keys that have read a list."""
_FLIGHT_SECONDS = 30.0
_OWN_ROWS = 20_000
"""Records that callers' lists hold beyond the public ones, all together; one takes about 2.5 kB."""
_CHECKS = 256
_CHECK_SECONDS = 5.0
_CHECK_TTL = 10.0
_FAILED_SECONDS = 10.0
_REFUSED_SECONDS = 60.0
_FRESH_SHARE = 0.75


class OwnLists:
    """Reads callers' lists, and keeps them for `list_ttl`; in the last quarter of it a reader's visit renews them."""

    def __init__(
        self, deps: OnDemandDeps, *, list_ttl: timedelta = timedelta(minutes=10), wait: float = 2.0, entries: int = 64
    ) -> None:
        """Callers get half of each provider's rate.

        `wait` is how many seconds a first request with a key waits for its lists, `entries` how many lists are kept.
        """
        self._deps = deps
        self._wait = wait
        upstreams, clock = deps.upstreams, deps.clock
        self._limiters = {id_: _half(upstream, clock) for id_, upstream in upstreams.items()}
        self._calls = {id_: _limited(deps.calls[id_], limiter) for id_, limiter in self._limiters.items()}
        ttl = list_ttl.total_seconds()
        windows = Windows(fresh=ttl * _FRESH_SHARE, stale=ttl * (1 - _FRESH_SHARE))
        lists = Memory[Found[OwnList]](entries=entries, weigh=_own_rows, room=_OWN_ROWS)
        moment = Windows(fresh=_CHECK_TTL)
        checks = Memory[Found[KeyCheck]](entries=_CHECKS)
        kinds = [(id_, good) for id_ in upstreams for good in (True, False)]
        self._lists = {kind: Cache(lists, windows=windows, flights=_FLIGHTS, clock=clock) for kind in kinds}
        self._checks = {kind: Cache(checks, windows=moment, flights=_FLIGHTS, clock=clock) for kind in kinds}
        self._good: LRUCache[str, None] = LRUCache(_GOOD_KEYS)

    async def overlay(self, snapshot: Snapshot, keys: Mapping[str, SecretStr]) -> Overlay:
        """The snapshot as this caller sees it: with the own lists that came within the wait."""
        publics = [snapshot.providers[id_] for id_ in keys if id_ in self._deps.upstreams and id_ in snapshot.providers]
        found = await asyncio.gather(*(self._found(public, keys[public.id]) for public in publics))
        own = []
        for public, list_ in zip(publics, found, strict=True):
            if list_.value is not None:
                snapshot = snapshot.with_provider(list_.value.shown(public))
                own.append(public.id)
            elif (problem := list_.refused()) is not None:
                snapshot = snapshot.with_provider(refused(public, problem))
        return Overlay(snapshot=snapshot, own=tuple(own), waited=any(list_.waited for list_ in found))

    async def check(self, provider_id: str, key: SecretStr) -> KeyCheck:
        """Try a key, at most once in ten seconds and for at most five; raises UnknownProvider."""
        upstream = self._deps.upstreams.get(provider_id)
        public = self._deps.reader.snapshot.providers.get(provider_id)
        if upstream is None or public is None:
            raise UnknownProvider(provider_id, self._deps.upstreams)
        read = partial(self._try, upstream, key, public) if admits(public.health) else None
        name = self._name(upstream, key)
        found = await self._checks[provider_id, name in self._good].get(name, read, wait=_CHECK_SECONDS)
        reason = f"{upstream.name} did not answer within {_CHECK_SECONDS:g} s." if read else f"{upstream.name} is down."
        return found.value or KeyCheck(outcome=KeyCheckOutcome.UNREACHABLE, message=f"{reason} Try again later.")

    async def close(self) -> None:
        """End all reads and checks."""
        for kind, lists in self._lists.items():
            await lists.close()
            await self._checks[kind].close()
        for limiter in self._limiters.values():
            await limiter.close()

    async def _found(self, public: ProviderState, key: SecretStr) -> Found[OwnList]:
        upstream = self._deps.upstreams[public.id]
        read = partial(self._read, upstream, key, public.listing) if admits(public.health) else None
        name = self._name(upstream, key)
        found = await self._lists[public.id, name in self._good].get(name, read, wait=self._wait)
        if found.value is not None:
            self._good[name] = None
        return found

    def _name(self, upstream: Upstream, key: SecretStr) -> str:
        return f"{upstream.id} {upstream.base_url} {fingerprint(self._deps.secret, upstream.id, key)}"

    async def _read(
        self, upstream: Upstream, key: SecretStr, public: Listing, before: OwnList | None
    ) -> OwnList | Failure:
        try:
            fetched = await self._fetch(upstream, key, before)
            if before is not None and fetched.version.digest == before.version.digest:
                return replace(before, version=fetched.version, as_of=self._deps.clock.now())
            rows = (await self._deps.parser.parse(upstream, fetched.bodies)).models
        except UpstreamError as error:
            seconds = _REFUSED_SECONDS if isinstance(error, Unauthorized) else _FAILED_SECONDS
            return failure_of(error, at=self._deps.clock.now(), seconds=seconds)
        at = self._deps.clock.now()
        return await asyncio.to_thread(own_list, rows, fetched.version, public=public, before=before, at=at)

    async def _try(self, upstream: Upstream, key: SecretStr, public: ProviderState, _: KeyCheck | None) -> KeyCheck:
        async def count_models() -> int:
            fetched = await self._fetch(upstream, key, None)
            return len((await self._deps.parser.parse(upstream, fetched.bodies)).models)

        open_to_all = upstream.key is None and public.confirmed
        return await check_key(upstream, self._calls[upstream.id], key, count_models, open_to_all=open_to_all)

    async def _fetch(self, upstream: Upstream, key: SecretStr, before: OwnList | None) -> FetchedList:
        call = self._calls[upstream.id]
        try:
            async with asyncio.timeout(_FLIGHT_SECONDS):
                await verify_key(upstream, call, key)
                return await fetch_list(upstream, call, key=key, known=before.version if before else None)
        except TimeoutError:
            raise TimedOut(f"{upstream.name} did not give its list within {_FLIGHT_SECONDS:g} s.") from None


def _half(upstream: Upstream, clock: Clock) -> CallRateLimiter:
    limits = upstream.calls
    return CallRateLimiter(requests_per_minute=limits.requests_per_minute // 2, burst=limits.burst // 2, clock=clock)


def _limited(call: Call, limiter: CallRateLimiter) -> Call:
    async def limited(url: str, headers: Mapping[str, str]) -> Response:
        await limiter.wait(Priority.DEMAND)
        return await call(url, headers)

    return limited


def _own_rows(found: Found[OwnList]) -> int:
    return found.value.own_rows if found.value else 0

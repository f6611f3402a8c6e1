"""The handover from one run of the server to the next: whatever differs from what followers know, they are told."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from catalogue.change import Resync
from catalogue.ports.clock import Clock
from catalogue.ports.store import Commit, Store, Stored
from catalogue.snapshot import ProviderState
from polling.cold_start import cold_state, stored_state
from polling.feed import Feed
from polling.history import HealthRecorder
from polling.ledger import Ledger
from upstream.baseline import forget_packaged
from upstream.upstream import Upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What the last run left, taken up."""

    stored: Stored
    ledger: Ledger
    feed: Feed
    recorder: HealthRecorder


async def taken_up(store: Store, upstreams: Sequence[Upstream], *, list_ttl: timedelta, clock: Clock) -> Handover:
    """Begin with the states that followers know, and publish those to start with; StoreError if that is not stored."""
    ids = [upstream.id for upstream in upstreams]
    stored = await _enrolled(store, ids, list_ttl=list_ttl, now=clock.now())
    by_name = sorted(upstreams, key=lambda upstream: upstream.name)
    states = [stored_state(upstream, stored, list_ttl=list_ttl) for upstream in by_name]
    ledger = Ledger(store=store, stored=stored, states=states, clock=clock)
    feed = Feed(store=store, reader=ledger, epoch=stored.epoch, clock=clock)
    ledger.listen(feed.publish)
    recorder = HealthRecorder(store=store)
    for incidents in (await store.incidents(ids, 1)).values():
        recorder.resume(incidents)
    for upstream in upstreams:
        cold = cold_state(upstream, stored, list_ttl=list_ttl, now=clock.now())
        await ledger.publish(upstream.id, partial(_replaced, by=cold))
        recorder.edge(cold.standing, at=cold.standing.since or clock.now())
    forget_packaged()
    return Handover(stored=stored, ledger=ledger, feed=feed, recorder=recorder)


def _replaced(told: ProviderState, *, by: ProviderState) -> ProviderState:
    # Both read the same rows, and only rows that are the very same are no new list.
    return replace(by, listing=replace(by.listing, models=told.listing.models))


async def _enrolled(store: Store, provider_ids: Collection[str], *, list_ttl: timedelta, now: datetime) -> Stored:
    """What the store holds, once it knows these providers; whoever followed others, or otherwise, has to read anew."""
    stored = await store.load()
    if stored.standings.keys() == set(provider_ids) and stored.list_ttl == list_ttl:
        return stored
    if stored.standings or stored.revision > 0:
        seq, revision = stored.seq + 1, stored.revision + 1
        resync = Resync(seq=seq, at=now, reason="The server was started anew with another configuration.")
        await store.commit(Commit(revision=revision, at=now, changes=[resync]))
        stored = replace(stored, seq=seq, revision=revision, updated_at=now)
    await store.enrol(provider_ids, now, list_ttl=list_ttl)
    return stored

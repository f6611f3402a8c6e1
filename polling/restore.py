"""Starts from the stored state, and publishes the differences between it and the current one."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from catalogue.change import Resync
from catalogue.observation import Restored
from catalogue.ports.clock import Clock
from catalogue.ports.health import HealthRecords
from catalogue.ports.reading import Log
from catalogue.ports.revisions import Commit, Revisions, Stored
from catalogue.snapshot import snapshot_of
from polling.cold_start import cold_state, published_state
from polling.feed import Feed
from polling.history import HealthRecorder
from polling.ledger import Current, Ledger
from upstream.baseline import forget_packaged
from upstream.upstream import Upstream


class Store(Revisions, Log, HealthRecords, Protocol):
    """The ports that a start reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredRun:
    """The parts that continue the last run."""

    stored: Stored
    current: Current
    ledger: Ledger
    feed: Feed
    recorder: HealthRecorder


async def restore(store: Store, upstreams: Sequence[Upstream], *, list_ttl: timedelta, clock: Clock) -> RestoredRun:
    """Start from the states that followers know, then publish the current ones. Raises StoreError."""
    ids = [upstream.id for upstream in upstreams]
    stored = await _register(store, ids, list_ttl=list_ttl, now=clock.now())
    by_name = sorted(upstreams, key=lambda upstream: upstream.name)
    known = {u.id: published_state(u, stored, list_ttl=list_ttl, now=clock.now()) for u in by_name}
    current = Current(
        snapshot_of(
            known.values(),
            number=stored.revision,
            position=stored.timeline.at(stored.seq),
            updated_at=min(stored.updated_at, clock.now()) if stored.updated_at else None,
        )
    )
    ledger = Ledger(revisions=store, current=current, timeline=stored.timeline, clock=clock)
    feed = Feed(log=store, reader=current, timeline=stored.timeline, clock=clock)
    ledger.listen(feed.publish)
    recorder = HealthRecorder(store=store)
    for incidents in (await store.incidents(ids, 1)).values():
        recorder.resume(incidents)
    for upstream in upstreams:
        cold = cold_state(upstream, stored, known[upstream.id], now=clock.now())
        await ledger.publish(upstream.id, Restored(state=cold))
        recorder.edge(cold.health, at=cold.health.since or clock.now())
    forget_packaged()
    return RestoredRun(stored=stored, current=current, ledger=ledger, feed=feed, recorder=recorder)


async def _register(store: Store, provider_ids: Sequence[str], *, list_ttl: timedelta, now: datetime) -> Stored:
    """Open an epoch for this run. If the providers or settings differ, followers have to read the catalogue again."""
    stored, epoch = await store.load(), secrets.token_hex(8)
    same = stored.healths.keys() == set(provider_ids) and stored.list_ttl == list_ttl
    if not same and (stored.healths or stored.revision > 0):
        position = stored.timeline.end(stored.seq).later(1)
        resync = Resync(position=position, at=now, reason="The server was started with another configuration.")
        revision = stored.revision + 1
        await store.commit(Commit(follows=stored.revision, revision=revision, at=now, changes=[resync]))
        stored = replace(stored, seq=position.seq, revision=revision, updated_at=now)
    await store.register(provider_ids, now, list_ttl=list_ttl, opens=epoch)
    return replace(stored, timeline=stored.timeline.opened(epoch, stored.seq + 1))

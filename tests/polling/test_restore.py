"""From one run of the server to the next: what a follower knows and what is served end up the same.

It is long because the law over many restarts and the single cases behind it share one played server.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from unittest.mock import AsyncMock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from backends.retention import Retention
from backends.sqlite import SqliteStore, open_store
from catalogue.change import EVERYTHING, Change, ModelRemoved, ProviderHealthChanged, Resync, StatusChanged
from catalogue.diff import tracked
from catalogue.facts import ModelFacts
from catalogue.health import Problem
from catalogue.history import Incident
from catalogue.listing import confirmed, merged
from catalogue.observation import Answered, CallFailed, ListTaken, Observation
from catalogue.ports.errors import StoreUnusable
from catalogue.position import position_of
from catalogue.provider import ProviderState
from catalogue.snapshot import Snapshot
from catalogue.vocabulary import DataSource, HealthStatus, ModelStatus, ProviderErrorCode, StatusCause
from polling.restore import RestoredRun, restore
from providers._kit.registry import adapters
from tests.catalogue.replay import apply
from tests.polling.still_clock import StillClock
from upstream.baseline import forget_packaged
from upstream.upstream import Upstream

TTL = timedelta(seconds=600)
FRESH, STALE = 60.0, 3600.0
ACME = Upstream(id="acme", name="Acme", adapter=adapters()["openai-compatible"], base_url="https://acme.test/v1")
OTHER = replace(ACME, id="other", name="Other")
PACKAGED = Upstream(id="requesty", name="Requesty", adapter=adapters()["requesty"], base_url="https://acme.test/v1")
"""A provider whose list has never come: its packaged data is served."""


def rows(*names: str, of: str = "acme", **said: object) -> list[ModelFacts]:
    """A list of models."""
    return [
        ModelFacts.model_validate({"id": f"{of}/{name}", "provider_id": of, "name": name, **said}) for name in names
    ]


@dataclass
class Machine:
    """Where servers run one after the other, on one store."""

    folder: Path
    clock: StillClock = field(default_factory=StillClock)
    upstreams: Sequence[Upstream] = (ACME, OTHER)
    list_ttl: timedelta = TTL
    run: RestoredRun | None = None
    store: SqliteStore | None = None

    async def start(self) -> RestoredRun:
        await self.stop()
        self.store = await open_store(self.folder / "store.db", clock=self.clock.now, retention=Retention())
        self.run = await restore(self.store, self.upstreams, list_ttl=self.list_ttl, clock=self.clock)
        return self.run

    async def stop(self) -> None:
        if self.store is not None:
            await self.store.close()
            self.store = None

    @property
    def served(self) -> Snapshot:
        assert self.run
        return self.run.current.snapshot

    async def log_after(self, seq: int) -> Sequence[Change]:
        assert self.store
        page = await self.store.read(seq, 10_000, EVERYTHING)
        assert not page.trimmed
        return page.changes

    def state(self, of: str = "acme") -> ProviderState:
        return self.served.providers[of]

    async def publish(self, seen: Observation | None, of: str = "acme") -> None:
        """Publish an observation, or let statuses be evaluated where there is none."""
        assert self.run
        if seen is None:
            await self.run.ledger.evaluate()
        else:
            await self.run.ledger.publish(of, seen)

    async def listed(self, *models: ModelFacts, of: str = "acme") -> None:
        await self.publish(self.list_of(models, of), of)

    def list_of(self, models: Sequence[ModelFacts], of: str = "acme") -> ListTaken:
        listing = merged(self.state(of).listing, models, at=self.clock.now())
        return ListTaken(listing=listing, latency_ms=5.0)

    async def failed(self, times: int = 1, of: str = "acme") -> None:
        for _ in range(times):
            await self.publish(CallFailed(problem=problem(self)), of)

    async def incidents(self) -> Sequence[Incident]:
        assert self.run
        assert self.store
        await self.run.recorder.flush()
        return (await self.store.incidents(["acme"], 10))["acme"]


def problem(machine: Machine) -> Problem:
    return Problem(code=ProviderErrorCode.UNREACHABLE, message="No connection.", retryable=True, at=machine.clock.now())


@dataclass
class Follower:
    """What a client knows that read the catalogue once and has followed it since."""

    seq: int = 0
    facts: dict[str, ModelFacts] = field(default_factory=dict)
    statuses: dict[str, ModelStatus] = field(default_factory=dict)
    health: dict[str, HealthStatus] = field(default_factory=dict)

    def read(self, snapshot: Snapshot) -> "Follower":
        self.seq = snapshot.revision.position.seq
        self.facts = {facts.id: facts for facts in snapshot.revision.index.rows}
        self.statuses = {
            id_: snapshot.providers[f.provider_id].statuses.of(id_).status for id_, f in self.facts.items()
        }
        self.health = {state.id: state.health.status for state in snapshot.providers.values()}
        return self

    def follow(self, changes: Sequence[Change], served: Snapshot) -> None:
        for change in changes:
            if change.position.seq <= self.seq:
                continue
            self.seq = change.position.seq
            if isinstance(change, Resync):
                self.read(served)
            elif isinstance(change, ProviderHealthChanged):
                self.health[change.health.provider_id] = change.after
            else:
                self.facts = apply([change], self.facts)
                self.statuses[change.model.facts.id] = change.model.status
                if isinstance(change, ModelRemoved):
                    del self.statuses[change.model.facts.id]

    def known(self) -> object:
        return self.seq, tracked(self.facts), self.statuses, self.health


@pytest.fixture(autouse=True, scope="module")
def _packaged_once() -> Iterator[None]:
    """Every start reads the packaged data where a list is missing; here they stay read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("polling.restore.forget_packaged", lambda: None)
        yield
    forget_packaged()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


async def restarted(machine: Machine, after: float) -> list[Change]:
    """Stop, let time pass, start: the changes that a follower is then told."""
    known = Follower().read(machine.served)
    seq = known.seq
    await machine.stop()
    machine.clock.advance(after)
    await machine.start()
    changes = list(await machine.log_after(seq))
    known.follow(changes, machine.served)
    assert known.known() == Follower().read(machine.served).known()
    return changes


async def test_a_quick_restart_of_a_healthy_server_changes_nothing(machine: Machine) -> None:
    await machine.start()
    await machine.listed(*rows("a", "b"))
    before = machine.served
    assert await restarted(machine, FRESH) == []
    assert machine.served.revision.number == before.revision.number
    assert machine.served.revision.position == before.revision.position
    state = machine.served.providers["acme"]
    assert (state.health.status, state.source) == (HealthStatus.HEALTHY, DataSource.LAST_GOOD)


async def test_models_that_a_long_stop_made_stale_are_told(machine: Machine) -> None:
    await machine.start()
    await machine.listed(*rows("a", "b"))
    kinds = [change.kind for change in await restarted(machine, STALE)]
    assert kinds == ["PROVIDER_HEALTH_CHANGED", "STATUS_CHANGED", "STATUS_CHANGED"]


@pytest.mark.parametrize(
    ("failures", "status"), [(1, HealthStatus.DEGRADED), (3, HealthStatus.DOWN)], ids=["degraded", "down"]
)
@pytest.mark.parametrize("pause", [FRESH, STALE])
async def test_an_ill_provider_stays_ill_until_it_answers(
    machine: Machine, failures: int, status: HealthStatus, pause: float
) -> None:
    await machine.start()
    await machine.listed(*rows("a"))
    await machine.failed(failures)
    assert await restarted(machine, pause) == []
    assert machine.served.providers["acme"].health.status is status


async def test_a_provider_that_lost_its_key_is_told_to_be_unknown(machine: Machine) -> None:
    await machine.start()
    await machine.listed(*rows("a"))
    await machine.failed()
    machine.upstreams = (replace(ACME, adapter=replace(ACME.adapter, needs_key=True)), OTHER)
    kinds = [change.kind for change in await restarted(machine, FRESH)]
    assert kinds == ["PROVIDER_HEALTH_CHANGED", "STATUS_CHANGED"]


@pytest.mark.parametrize("then", [(ACME,), (ACME, OTHER, replace(ACME, id="third"))], ids=["one less", "one more"])
async def test_followers_read_anew_where_other_providers_are_served(
    machine: Machine, then: tuple[Upstream, ...]
) -> None:
    await machine.start()
    await machine.listed(*rows("a"))
    await machine.listed(*rows("a", of="other"), of="other")
    machine.upstreams = then
    assert [change.kind for change in await restarted(machine, FRESH)] == ["RESYNC"]
    assert await restarted(machine, FRESH) == []


@pytest.mark.parametrize(("before", "after"), [(300, 900), (900, 300)], ids=["longer", "shorter"])
async def test_followers_read_anew_where_lists_count_as_fresh_for_another_time(
    machine: Machine, before: int, after: int
) -> None:
    machine.list_ttl = timedelta(seconds=before)
    await machine.start()
    await machine.listed(*rows("a"))
    machine.clock.advance(1000)
    await machine.publish(None)
    machine.list_ttl = timedelta(seconds=after)
    assert (await restarted(machine, FRESH))[0].kind == "RESYNC"
    assert await restarted(machine, 0) == []


async def test_a_first_start_makes_no_revision(machine: Machine) -> None:
    await machine.start()
    assert (machine.served.revision.number, machine.served.revision.position.seq) == (0, 0)
    assert machine.served.revision.updated_at is None
    assert await restarted(machine, FRESH) == []


async def test_a_packaged_list_makes_no_revision(machine: Machine) -> None:
    machine.upstreams = (PACKAGED,)
    await machine.start()
    assert machine.served.revision.total_models > 0
    assert machine.served.revision.number == 0


async def test_packaged_models_of_a_provider_that_goes_down_are_told_unavailable(machine: Machine) -> None:
    machine.upstreams = (PACKAGED,)
    await machine.start()
    follower = Follower().read(machine.served)
    await machine.failed(3, of="requesty")
    follower.follow(await machine.log_after(0), machine.served)
    assert set(follower.statuses.values()) == {ModelStatus.UNAVAILABLE}
    assert follower.known() == Follower().read(machine.served).known()
    assert await restarted(machine, FRESH) == []


async def test_an_end_that_passed_while_another_providers_revision_was_stored_is_told(machine: Machine) -> None:
    await machine.start()
    await machine.listed(*rows("a", expires_at=machine.clock.now() + timedelta(seconds=10)))
    machine.clock.advance(11)
    await machine.listed(*rows("b", of="other"), of="other")
    assert [change.kind for change in await restarted(machine, 1)] == ["STATUS_CHANGED"]


async def test_an_end_that_passed_while_a_list_was_compared_is_published(machine: Machine) -> None:
    await machine.start()
    taken = machine.list_of(rows("a", expires_at=machine.clock.now() + timedelta(seconds=10)))
    machine.clock.advance(11)
    await machine.publish(taken)
    assert machine.state().statuses.of("acme/a").status is ModelStatus.DEPRECATED
    assert await restarted(machine, 1) == []


async def test_the_statuses_of_a_provider_that_lost_its_key_changed_by_configuration(machine: Machine) -> None:
    await machine.start()
    await machine.listed(*rows("a"))
    await machine.failed()
    machine.upstreams = (replace(ACME, adapter=replace(ACME.adapter, needs_key=True)), OTHER)
    _, status = await restarted(machine, FRESH)
    assert isinstance(status, StatusChanged)
    assert status.cause is StatusCause.CONFIGURATION


async def test_each_start_opens_an_epoch_and_positions_of_the_one_before_lead_on(machine: Machine) -> None:
    await machine.start()
    await machine.listed(*rows("a"))
    read = machine.served.revision.position
    run = await machine.start()
    assert run.stored.timeline.epochs[-1].name != read.epoch
    told = asyncio.ensure_future(anext(run.feed.follow(read.cursor)))
    await machine.listed(*rows("a", "b"))
    assert (await asyncio.wait_for(told, 60)).kind == "MODEL_ADDED"


async def test_a_follower_of_what_a_restored_backup_has_lost_reads_again(machine: Machine) -> None:
    await machine.start()
    await machine.listed(*rows("a"))
    await machine.stop()
    backup = (machine.folder / "store.db").read_bytes()
    await machine.start()
    for n in range(5):
        await machine.listed(*rows("a", *(f"lost{i}" for i in range(n + 1))))
    lost = machine.served.revision.position.cursor
    await machine.stop()
    (machine.folder / "store.db").write_bytes(backup)
    run = await machine.start()
    for n in range(20):
        await machine.listed(*rows("a", *(f"new{i}" for i in range(n + 1))))
    assert machine.served.revision.position.seq > position_of(lost).seq
    change = await asyncio.wait_for(anext(run.feed.follow(lost)), 60)
    assert change.kind == "RESYNC"


async def test_a_list_confirmed_with_a_change_of_health_is_as_fresh_after_the_restart(machine: Machine) -> None:
    await machine.start()
    await machine.listed(*rows("a"))
    machine.clock.advance(STALE)
    await machine.publish(None)
    await machine.listed(*rows("a"))
    as_of = machine.served.providers["acme"].as_of
    assert await restarted(machine, FRESH) == []
    assert machine.served.providers["acme"].as_of == as_of == machine.clock.now() - timedelta(seconds=FRESH)


async def test_a_clock_that_was_ahead_leaves_nothing_of_a_time_to_come(machine: Machine) -> None:
    machine.clock.advance(STALE)
    await machine.start()
    await machine.listed(*rows("a"))
    await restarted(machine, -STALE)
    now = machine.clock.now()
    state = machine.state()
    assert (state.as_of, state.health.since, machine.served.revision.updated_at) == (now, now, now)
    machine.clock.advance(FRESH)
    await restarted(machine, 0)
    assert machine.served.providers["acme"].as_of == now


async def test_a_clock_that_was_set_back_hides_nothing_of_a_long_stop(machine: Machine) -> None:
    await machine.start()
    await machine.listed(*rows("a"))
    machine.clock.start -= timedelta(days=1)
    await machine.listed(*rows("a"))
    kinds = [change.kind for change in await restarted(machine, STALE)]
    assert kinds == ["PROVIDER_HEALTH_CHANGED", "STATUS_CHANGED"]


async def test_an_outage_over_a_restart_is_one_incident(machine: Machine) -> None:
    run = await machine.start()
    await machine.listed(*rows("a"))
    await machine.failed(3)
    run.recorder.edge(machine.served.providers["acme"].health, at=machine.clock.now())
    before = await machine.incidents()
    await restarted(machine, FRESH)
    assert await machine.incidents() == before
    assert [incident.ended_at for incident in before] == [None]


async def test_an_outage_whose_incident_was_not_stored_any_more_has_one_since_it_began(machine: Machine) -> None:
    await machine.start()
    await machine.listed(*rows("a"))
    await machine.failed(3)
    since = machine.clock.now()
    await restarted(machine, FRESH)
    assert [(i.started_at, i.ended_at) for i in await machine.incidents()] == [(since, None)]


async def test_an_incident_whose_end_was_not_stored_any_more_ended_with_the_outage(machine: Machine) -> None:
    run = await machine.start()
    await machine.listed(*rows("a"))
    await machine.failed(3)
    run.recorder.edge(machine.served.providers["acme"].health, at=machine.clock.now())
    await machine.incidents()
    machine.clock.advance(FRESH)
    await machine.listed(*rows("a"))
    await machine.listed(*rows("a"))
    since = machine.clock.now()
    await restarted(machine, FRESH)
    assert [incident.ended_at for incident in await machine.incidents()] == [since]


async def _happening(machine: Machine, rng: Random) -> None:
    """Let something happen to a provider."""
    if PACKAGED in machine.upstreams and rng.random() < 0.5:
        await machine.publish(rng.choice(_answers(machine)), PACKAGED.id)
    else:
        await machine.publish(rng.choice([*_lists(machine, rng), *_answers(machine)]))


async def test_whoever_reads_a_start_that_could_not_be_stored_is_told_to_read_anew(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await machine.start()
    await machine.listed(*rows("a"))
    await machine.stop()
    machine.clock.advance(STALE)
    with monkeypatch.context() as patch, capture_logs():
        full = AsyncMock(side_effect=StoreUnusable("The data folder is full."))
        patch.setattr(SqliteStore, "commit", full)
        run = await machine.start()
        read = machine.served.revision.position.cursor
    told = asyncio.ensure_future(anext(run.feed.follow(read)))
    await machine.listed(*rows("a"))
    await run.ledger.evaluate()
    assert (await asyncio.wait_for(told, 5)).kind == "RESYNC"


def _lists(machine: Machine, rng: Random) -> list[Observation]:
    """What a provider may list next."""
    names = rng.sample("abcd", rng.randrange(5))
    end = machine.clock.now() + timedelta(seconds=rng.choice([-60, 60, 900]))
    listing = machine.state().listing
    again = ListTaken(listing=confirmed(listing, at=machine.clock.now()), latency_ms=1.0)
    given = machine.list_of([*rows(*names), *rows("e", expires_at=end)])
    return [given, again] if listing.is_reference else [given]


def _answers(machine: Machine) -> list[Observation | None]:
    """How a provider may answer next."""
    malformed = replace(problem(machine), code=ProviderErrorCode.MALFORMED)
    return [None, Answered(latency_ms=1.0), CallFailed(problem=problem(machine)), CallFailed(problem=malformed)]


def _reconfigured(machine: Machine, rng: Random) -> None:
    """Change what an operator may change over a restart."""
    machine.list_ttl = timedelta(seconds=rng.choice([300, 600, 3600]))
    acme = replace(ACME, name=rng.choice(["Acme", "Zacme"]), poll=rng.random() < 0.5)
    if rng.random() < 0.3:
        acme = replace(acme, adapter=replace(acme.adapter, needs_key=True))
    machine.upstreams = rng.choice([(acme,), (acme, OTHER), (acme, PACKAGED)])


@settings(max_examples=24, deadline=None)
@given(seed=st.integers(0, 2**32), pauses=st.lists(st.sampled_from([0.0, 5.0, 61.0, 700.0, 4000.0]), max_size=12))
async def test_resuming_over_restarts_ends_with_exactly_what_is_served(seed: int, pauses: list[float]) -> None:
    """Whatever is configured anew, however long the server is stopped, and whichever way the wall clock jumps."""
    rng = Random(seed)
    with TemporaryDirectory() as folder:
        machine = Machine(Path(folder))
        await machine.start()
        follower = Follower().read(machine.served)
        for pause in [*pauses, 0.0]:
            machine.clock.advance(pause)
            if rng.random() < 0.3:
                machine.clock.start += timedelta(seconds=rng.choice([-86_400, -900, 900, 86_400]))
            if rng.random() < 0.3:
                if rng.random() < 0.5:
                    _reconfigured(machine, rng)
                await machine.start()
            else:
                await _happening(machine, rng)
            if rng.random() < 0.5:
                follower.follow(await machine.log_after(follower.seq), machine.served)
        await machine.start()
        follower.follow(await machine.log_after(follower.seq), machine.served)
        assert follower.known() == Follower().read(machine.served).known()
        await machine.stop()


async def test_a_follower_who_read_while_the_store_failed_gets_one_resync_for_all_providers(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await machine.start()
    for of in ("acme", "other"):
        await machine.listed(*rows("a", of=of), of=of)
    with monkeypatch.context() as patch, capture_logs():
        patch.setattr(SqliteStore, "commit", AsyncMock(side_effect=StoreUnusable("The data folder is full.")))
        for of in ("acme", "other"):
            await machine.failed(3, of=of)
        follower = run.feed.follow(machine.served.revision.position.cursor)
        told = asyncio.ensure_future(anext(follower))
    await run.ledger.evaluate()
    resync = await asyncio.wait_for(told, 60)
    assert (resync.kind, resync.position) == ("RESYNC", machine.served.revision.position)
    following = asyncio.ensure_future(anext(follower))
    await machine.listed(*rows("a", "b"))
    assert (await asyncio.wait_for(following, 60)).kind == "MODEL_ADDED"

"""From one run of the server to the next: what a follower knows and what is served end up the same.

It is long because the law over many restarts and the single cases behind it share one played server.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from unittest.mock import AsyncMock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from backends.errors import StoreUnusable
from backends.retention import Retention
from backends.sqlite import SqliteStore, open_store
from catalogue import cursor
from catalogue.change import Change, ModelRemoved, ProviderHealthChanged, Resync
from catalogue.diff import apply, tracked
from catalogue.facts import ModelFacts
from catalogue.health import Problem, Standing, failed, hampered, succeeded
from catalogue.history import Incident
from catalogue.listing import confirmed, merged
from catalogue.snapshot import ProviderState, Snapshot
from catalogue.vocabulary import DataSource, HealthStatus, ModelStatus, ProviderErrorCode
from polling.handover import Handover, taken_up
from providers._kit.registry import adapters
from tests.polling.still_clock import StillClock
from upstream.baseline import forget_packaged
from upstream.upstream import Upstream

TTL = timedelta(seconds=600)
FRESH, STALE = 60.0, 3600.0
ACME = Upstream(id="acme", name="Acme", adapter=adapters()["openai-compatible"], base_url="https://acme.test/v1")
OTHER = replace(ACME, id="other", name="Other")
PACKAGED = Upstream(id="requesty", name="Requesty", adapter=adapters()["requesty"], base_url="https://acme.test/v1")
"""A provider whose list has never come: its packaged data is served."""

Step = Callable[[ProviderState], ProviderState]


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
    run: Handover | None = None
    store: SqliteStore | None = None

    async def start(self) -> Handover:
        await self.stop()
        self.store = await open_store(self.folder / "store.db", clock=self.clock.now, retention=Retention())
        self.run = await taken_up(self.store, self.upstreams, list_ttl=self.list_ttl, clock=self.clock)
        return self.run

    async def stop(self) -> None:
        if self.store is not None:
            await self.store.close()
            self.store = None

    @property
    def served(self) -> Snapshot:
        assert self.run
        return self.run.ledger.snapshot

    async def log_after(self, seq: int) -> Sequence[Change]:
        assert self.store
        page = await self.store.read(seq, 10_000)
        assert not page.trimmed
        return page.changes

    async def publish(self, step: Step | None, of: str = "acme") -> None:
        assert self.run
        await self.run.ledger.publish(of, step)

    async def listed(self, *models: ModelFacts, of: str = "acme") -> None:
        at = self.clock.now()
        await self.publish(
            lambda s: replace(
                s, listing=merged(s.listing, models, at=at), standing=succeeded(s.standing, at=at, latency_ms=5.0)
            ),
            of,
        )

    async def failed(self, times: int = 1, of: str = "acme") -> None:
        fail = partial(failed, at=self.clock.now(), problem=problem(self))
        for _ in range(times):
            await self.publish(lambda s: replace(s, standing=fail(s.standing)), of)

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
        self.seq = snapshot.seq
        self.facts = {facts.id: facts for _, facts in snapshot.facts()}
        self.statuses = {facts.id: state.verdict(facts.id).status for state, facts in snapshot.facts()}
        self.health = {state.id: state.standing.status for state in snapshot.providers.values()}
        return self

    def follow(self, changes: Sequence[Change], served: Snapshot) -> None:
        for change in changes:
            if change.seq <= self.seq:
                continue
            self.seq = change.seq
            if isinstance(change, Resync):
                self.read(served)
            elif isinstance(change, ProviderHealthChanged):
                self.health[change.standing.provider_id] = change.after
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
        patch.setattr("polling.handover.forget_packaged", lambda: None)
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
    assert (machine.served.revision, machine.served.epoch) == (before.revision, before.epoch)
    state = machine.served.providers["acme"]
    assert (state.standing.status, state.listing.source) == (HealthStatus.HEALTHY, DataSource.LAST_GOOD)


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
    assert machine.served.providers["acme"].standing.status is status


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
    assert (machine.served.revision, machine.served.seq, machine.served.updated_at) == (0, 0, None)
    assert await restarted(machine, FRESH) == []


async def test_a_packaged_list_makes_no_revision(machine: Machine) -> None:
    machine.upstreams = (PACKAGED,)
    await machine.start()
    assert machine.served.total_models > 0
    assert machine.served.revision == 0


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


async def test_an_end_that_passed_while_a_list_was_compared_is_told(machine: Machine) -> None:
    await machine.start()
    at = machine.clock.now()
    models = rows("a", expires_at=at + timedelta(seconds=10))

    def slowly(state: ProviderState) -> ProviderState:
        machine.clock.advance(11)
        return replace(state, listing=merged(state.listing, models, at=at))

    await machine.publish(slowly)
    kinds = [change.kind for change in await restarted(machine, 1)]
    assert "STATUS_CHANGED" in kinds


async def test_a_list_confirmed_with_a_change_of_health_is_as_fresh_after_the_restart(machine: Machine) -> None:
    await machine.start()
    await machine.listed(*rows("a"))
    machine.clock.advance(STALE)
    await machine.publish(None)
    await machine.listed(*rows("a"))
    as_of = machine.served.providers["acme"].listing.as_of
    assert await restarted(machine, FRESH) == []
    assert machine.served.providers["acme"].listing.as_of == as_of == machine.clock.now() - timedelta(seconds=FRESH)


async def test_a_clock_that_was_ahead_leaves_nothing_of_a_time_to_come(machine: Machine) -> None:
    machine.clock.advance(STALE)
    await machine.start()
    await machine.listed(*rows("a"))
    await restarted(machine, -STALE)
    now = machine.clock.now()
    state = machine.served.providers["acme"]
    assert (state.listing.as_of, state.standing.since, machine.served.updated_at) == (now, now, now)
    machine.clock.advance(FRESH)
    await restarted(machine, 0)
    assert machine.served.providers["acme"].listing.as_of == now


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
    run.recorder.edge(machine.served.providers["acme"].standing, at=machine.clock.now())
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
    run.recorder.edge(machine.served.providers["acme"].standing, at=machine.clock.now())
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
        read = cursor.encode(machine.served.epoch, machine.served.seq)
    told = asyncio.ensure_future(anext(run.feed.follow(read)))
    await machine.listed(*rows("a"))
    assert (await asyncio.wait_for(told, 5)).kind == "RESYNC"


def _lists(machine: Machine, rng: Random) -> list[Step]:
    """What a provider may list next."""
    at = machine.clock.now()
    names = rng.sample("abcd", rng.randrange(5))
    end = at + timedelta(seconds=rng.choice([-60, 60, 900]))
    models = [*rows(*names), *rows("e", expires_at=end)]

    well = partial(succeeded, at=at, latency_ms=1.0)
    return [
        lambda s: replace(s, listing=merged(s.listing, models, at=at), standing=well(s.standing)),
        lambda s: replace(s, listing=confirmed(s.listing, at=at) if s.listing.is_reference else s.listing),
    ]


def _answers(machine: Machine) -> list[Step | None]:
    """How a provider may answer next."""
    at = machine.clock.now()

    def standing(state: ProviderState, advance: Callable[[Standing], Standing]) -> ProviderState:
        return replace(state, standing=advance(state.standing))

    return [
        None,
        lambda s: standing(s, partial(succeeded, at=at, latency_ms=1.0)),
        lambda s: standing(s, partial(failed, at=at, problem=problem(machine))),
        lambda s: standing(s, partial(hampered, at=at, problem=problem(machine))),
    ]


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

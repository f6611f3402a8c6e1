"""The gate of suspicious lists: what was decided lasts over a restart, and each step is logged once."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from backends.retention import Retention
from backends.sqlite import SqliteStore, open_store
from catalogue.facts import ModelFacts
from catalogue.guard import GuardLimits, suspicion
from catalogue.listing import merged
from catalogue.ports.errors import StoreUnusable
from catalogue.ports.revisions import Held
from polling.quarantine import QuarantineGate
from tests.catalogue.strategies import NOW, PROVIDER, listing, model
from tests.polling.still_clock import StillClock

GOOD = [model(f"m{n}") for n in range(30)]
SERVED = listing(*GOOD)
BAD, WORSE = GOOD[:5], GOOD[:2]


class Seat:
    """Gates on one store, one after the other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store: SqliteStore | None = None

    async def gate(self) -> QuarantineGate:
        """The gate as a new process begins with it."""
        await self.close()
        clock = StillClock()
        self.store = await open_store(self.path, clock=clock.now, retention=Retention())
        held = (await self.store.load()).held.get(PROVIDER)
        return QuarantineGate(provider_id=PROVIDER, revisions=self.store, clock=clock, held=held)

    async def close(self) -> None:
        if self.store is not None:
            await self.store.close()


@pytest.fixture
async def seat(tmp_path: Path) -> AsyncIterator[Seat]:
    seat = Seat(tmp_path / "store.db")
    yield seat
    await seat.close()


async def holds(gate: QuarantineGate, rows: Sequence[ModelFacts]) -> bool:
    """Whether the gate holds a list back, compared with the served one."""
    doubt = suspicion(SERVED, rows, GuardLimits())
    if doubt is None:
        await gate.clear()
        return False
    await gate.hold(doubt, merged(SERVED, rows, at=NOW), len(rows))
    return True


async def test_a_held_list_waits_over_a_restart_under_the_same_id(seat: Seat) -> None:
    gate = await seat.gate()
    assert await holds(gate, BAD)
    before = gate.quarantine
    gate = await seat.gate()
    assert await holds(gate, BAD)
    assert gate.quarantine == before is not None


async def test_a_discarded_list_is_not_held_anew_after_a_restart_and_the_reason_stays(seat: Seat) -> None:
    gate = await seat.gate()
    await holds(gate, BAD)
    await gate.discard()
    said = gate.problem()
    gate = await seat.gate()
    assert await holds(gate, BAD)
    assert gate.quarantine is None
    assert gate.problem() == said is not None


async def test_a_discarded_list_is_recognised_when_only_a_hint_or_a_description_of_it_differs(seat: Seat) -> None:
    gate = await seat.gate()
    await holds(gate, BAD)
    await gate.discard()
    said = {"canonical_name": "lab/other", "description": "New words."}
    assert await holds(gate, [facts.model_copy(update=said) for facts in BAD])
    assert gate.quarantine is None


async def test_another_bad_list_than_the_discarded_one_is_held(seat: Seat) -> None:
    gate = await seat.gate()
    await holds(gate, BAD)
    await gate.discard()
    gate = await seat.gate()
    assert await holds(gate, WORSE)
    assert gate.quarantine is not None


@pytest.mark.parametrize("accepted", [True, False])
async def test_what_was_released_or_cleared_is_forgotten_over_a_restart(seat: Seat, *, accepted: bool) -> None:
    gate = await seat.gate()
    await holds(gate, BAD)
    await gate.clear(accepted=accepted)
    assert (await seat.gate()).problem() is None


async def test_each_step_is_logged_once_with_the_reason_and_the_counts(seat: Seat) -> None:
    gate = await seat.gate()
    with capture_logs() as lines:
        for rows in (BAD, BAD, WORSE, WORSE):
            await holds(gate, rows)
        await gate.discard()
        await gate.discard()
        await holds(gate, WORSE)
        await holds(gate, GOOD)
        await holds(gate, GOOD)
        await holds(gate, BAD)
        await gate.clear(accepted=True)
        await gate.clear(accepted=True)
    assert [line["event"] for line in lines] == [
        "list_held_back",
        "list_held_back",
        "list_discarded",
        "list_in_order_again",
        "list_held_back",
        "list_released",
    ]
    assert {key: lines[0][key] for key in ("provider", "reason", "models", "added", "removed", "repriced")} == {
        "provider": PROVIDER,
        "reason": "The list lost 25 of 30 models.",
        "models": 5,
        "added": 0,
        "removed": 25,
        "repriced": 0,
    }


async def test_a_decision_that_could_not_be_stored_was_not_made(seat: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(_: str, __: Held | None) -> None:
        raise StoreUnusable("The data folder is full.")

    gate = await seat.gate()
    await holds(gate, BAD)
    assert seat.store
    monkeypatch.setattr(seat.store, "hold", full)
    for decision in (gate.discard, gate.clear):
        with pytest.raises(StoreUnusable):
            await decision()
    assert gate.quarantine is not None

"""The ward of suspicious lists: what was decided lasts over a restart, and each step is logged once."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from backends.errors import StoreUnusable
from backends.retention import Retention
from backends.sqlite import SqliteStore, open_store
from catalogue.facts import ModelFacts
from catalogue.guard import GuardLimits
from catalogue.ports.store import Held
from polling.quarantine import Ward
from tests.catalogue.strategies import PROVIDER, listing, model
from tests.polling.still_clock import StillClock

GOOD = [model(f"m{n}") for n in range(30)]
SERVED = listing(*GOOD)
BAD, WORSE = GOOD[:5], GOOD[:2]


class Seat:
    """Wards on one store, one after the other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store: SqliteStore | None = None

    async def ward(self) -> Ward:
        """The ward as a new process begins with it."""
        await self.close()
        clock = StillClock()
        self.store = await open_store(self.path, clock=clock.now, retention=Retention())
        held = (await self.store.load()).held.get(PROVIDER)
        return Ward(provider_id=PROVIDER, store=self.store, clock=clock, limits=GuardLimits(), held=held)

    async def close(self) -> None:
        if self.store is not None:
            await self.store.close()


@pytest.fixture
async def seat(tmp_path: Path) -> AsyncIterator[Seat]:
    seat = Seat(tmp_path / "store.db")
    yield seat
    await seat.close()


async def holds(ward: Ward, rows: Sequence[ModelFacts]) -> bool:
    return await ward.holds(SERVED, rows)


async def test_a_held_list_waits_over_a_restart_under_the_same_id(seat: Seat) -> None:
    ward = await seat.ward()
    assert await holds(ward, BAD)
    before = ward.quarantine
    ward = await seat.ward()
    assert await holds(ward, BAD)
    assert ward.quarantine == before is not None


async def test_a_discarded_list_is_not_held_anew_after_a_restart_and_the_reason_stays(seat: Seat) -> None:
    ward = await seat.ward()
    await holds(ward, BAD)
    await ward.discard()
    said = ward.problem()
    ward = await seat.ward()
    assert await holds(ward, BAD)
    assert ward.quarantine is None
    assert ward.problem() == said is not None


async def test_another_bad_list_than_the_discarded_one_is_held(seat: Seat) -> None:
    ward = await seat.ward()
    await holds(ward, BAD)
    await ward.discard()
    ward = await seat.ward()
    assert await holds(ward, WORSE)
    assert ward.quarantine is not None


@pytest.mark.parametrize("decision", [Ward.release, Ward.clear])
async def test_what_was_released_or_cleared_is_forgotten_over_a_restart(seat: Seat, decision: object) -> None:
    ward = await seat.ward()
    await holds(ward, BAD)
    assert callable(decision)
    await decision(ward)
    assert (await seat.ward()).problem() is None


async def test_each_step_is_logged_once_with_the_reason_and_the_counts(seat: Seat) -> None:
    ward = await seat.ward()
    with capture_logs() as lines:
        for rows in (BAD, BAD, WORSE, WORSE):
            await holds(ward, rows)
        await ward.discard()
        await ward.discard()
        await holds(ward, WORSE)
        await holds(ward, GOOD)
        await holds(ward, GOOD)
        await holds(ward, BAD)
        await ward.release()
        await ward.release()
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

    ward = await seat.ward()
    await holds(ward, BAD)
    assert seat.store
    monkeypatch.setattr(seat.store, "hold", full)
    for decision in (ward.discard, ward.release):
        with pytest.raises(StoreUnusable):
            await decision()
    assert ward.quarantine is not None

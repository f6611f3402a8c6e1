"""The health recorder: what a store did not take is written later, and the time between two checks is known."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from catalogue.health import Health, Problem, Problems
from catalogue.history import Incident, Probe, Span
from catalogue.ports.errors import StoreUnusable
from catalogue.vocabulary import HealthStatus, ProviderErrorCode
from polling import history
from polling.history import HealthRecorder
from tests.polling.still_clock import settle

NOW = datetime(2026, 5, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class FailingStore:
    """Stands where a store stands, and fails while it is told to."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.probes: list[Probe] = []
        self.spans: list[Span] = []
        self.incidents: list[Incident] = []

    async def record(self, probes: Sequence[Probe], spans: Sequence[Span] = ()) -> None:
        self._fail()
        self.probes += probes
        self.spans += spans

    async def open_incident(self, incident: Incident) -> None:
        self._fail()
        self.incidents.append(incident)

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error


@pytest.fixture
def store() -> FailingStore:
    return FailingStore()


@pytest.fixture
def recorder(store: FailingStore) -> HealthRecorder:
    return HealthRecorder(store=store)  # type: ignore[arg-type] # what the recorder uses of a store


def probe(after: timedelta = timedelta(0), *, ok: bool = True, of: str = "acme") -> Probe:
    return Probe(provider_id=of, at=NOW + after, ok=ok)


def health(status: HealthStatus) -> Health:
    problem = Problem(code=ProviderErrorCode.TIMEOUT, message="No answer.", retryable=True, at=NOW)
    return Health(provider_id="acme", status=status, problems=Problems(call=problem))


async def test_a_provider_is_what_the_last_check_found_until_the_next(
    recorder: HealthRecorder, store: FailingStore
) -> None:
    recorder.probe(probe())
    recorder.probe(probe(of="other"))
    recorder.probe(probe(5 * MINUTE, ok=False))
    recorder.probe(probe(15 * MINUTE))
    await recorder.flush()
    assert store.spans == [
        Span(provider_id="acme", start=NOW, end=NOW + 5 * MINUTE, up=True),
        Span(provider_id="acme", start=NOW + 5 * MINUTE, end=NOW + 15 * MINUTE, up=False),
    ]


@pytest.mark.parametrize("gap", [20 * MINUTE + timedelta(microseconds=1), timedelta(0), -MINUTE])
async def test_after_a_long_gap_or_with_a_clock_set_back_nothing_is_known_of_the_time_between(
    recorder: HealthRecorder, store: FailingStore, gap: timedelta
) -> None:
    recorder.probe(probe())
    recorder.probe(probe(gap))
    recorder.probe(probe(gap + MINUTE))
    await recorder.flush()
    assert store.spans == [Span(provider_id="acme", start=NOW + gap, end=NOW + gap + MINUTE, up=True)]
    assert len(store.probes) == 3


async def test_what_a_failing_store_did_not_take_is_written_with_the_next_batch_once(
    recorder: HealthRecorder, store: FailingStore
) -> None:
    recorder.probe(probe())
    recorder.probe(probe(MINUTE))
    recorder.edge(health(HealthStatus.DOWN), at=NOW)
    store.error = StoreUnusable("The data folder is full.")
    with pytest.raises(StoreUnusable):
        await recorder.flush()
    recorder.probe(probe(2 * MINUTE))
    recorder.edge(health(HealthStatus.DEGRADED), at=NOW + MINUTE)
    store.error = None
    await recorder.flush()
    await recorder.flush()
    assert [p.at - NOW for p in store.probes] == [0 * MINUTE, MINUTE, 2 * MINUTE]
    assert [s.start - NOW for s in store.spans] == [0 * MINUTE, MINUTE]
    assert [i.ended_at for i in store.incidents] == [None, NOW + MINUTE]


async def test_the_backlog_is_bounded_and_loses_its_oldest(
    recorder: HealthRecorder, store: FailingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_BACKLOG", 3)
    store.error = StoreUnusable("The data folder is full.")
    for number in range(5):
        recorder.probe(probe(number * MINUTE))
        with pytest.raises(StoreUnusable):
            await recorder.flush()
    store.error = None
    await recorder.flush()
    assert [p.at - NOW for p in store.probes] == [2 * MINUTE, 3 * MINUTE, 4 * MINUTE]


async def test_an_incident_does_not_end_before_it_began(recorder: HealthRecorder, store: FailingStore) -> None:
    recorder.edge(health(HealthStatus.DOWN), at=NOW)
    recorder.edge(health(HealthStatus.HEALTHY), at=NOW - MINUTE)
    await recorder.flush()
    assert store.incidents[-1].ended_at == NOW


async def test_a_failing_store_is_told_once_in_one_line_and_once_when_it_is_well(
    recorder: HealthRecorder, store: FailingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_PAUSE_SECONDS", 0)
    store.error = StoreUnusable("The data folder is full.")
    recorder.probe(probe())
    with capture_logs() as lines:
        run = asyncio.create_task(recorder.run())
        await settle()
        store.error = None
        await settle()
        run.cancel()
    assert [(line["event"], line.get("error")) for line in lines] == [
        ("health_history_waits", "The data folder is full."),
        ("health_history_written_again", None),
    ]
    assert not any("exc_info" in line for line in lines)
    assert store.probes == [probe()]

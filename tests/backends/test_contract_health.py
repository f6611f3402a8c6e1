"""The contract of every store: health is counted into buckets, and a span without a probe says so.

It is long because counts, known time and incidents are one history.
"""

from datetime import timedelta
from itertools import pairwise
from random import Random
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backends.retention import HEALTH
from catalogue.history import WINDOWS, Incident, Probe, Span, uptime
from catalogue.vocabulary import ProviderErrorCode, UptimeWindow
from tests.backends.conftest import Seat, Store
from tests.catalogue.strategies import NOW, PROVIDER

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LATE = NOW + timedelta(seconds=90)


def probe(*, ago: timedelta = timedelta(0), ok: bool = True, latency: float | None = 10.0, of: str = PROVIDER) -> Probe:
    return Probe(provider_id=of, at=LATE - ago, ok=ok, latency_ms=latency)


@pytest.mark.parametrize("window", UptimeWindow)
async def test_a_window_has_all_its_buckets_in_a_row_and_the_last_one_holds_now(
    store: Store, window: UptimeWindow
) -> None:
    span, width = WINDOWS[window]
    buckets = (await store.health([PROVIDER], window, LATE))[PROVIDER]
    assert len(buckets) == span / width
    assert buckets[-1].start <= LATE < buckets[-1].end
    assert all(b.end - b.start == width for b in buckets)
    assert all(a.end == b.start for a, b in pairwise(buckets))
    assert (buckets[0].start - NOW.replace(hour=0)) % width == timedelta(0)


async def test_spans_without_a_probe_have_no_checks_and_no_uptime(store: Store) -> None:
    buckets = (await store.health([PROVIDER], UptimeWindow.DAY, LATE))[PROVIDER]
    assert all((b.checks, b.failures, b.latency_ms, b.uptime) == (0, 0, None, None) for b in buckets)
    assert uptime(buckets) is None


async def test_probes_of_one_span_are_counted_together(store: Store) -> None:
    await store.record([probe(latency=10.0), probe(latency=30.0), probe(ok=False, latency=None)])
    await store.record([probe(ok=False, latency=9000.0)])
    for window in UptimeWindow:
        last = (await store.health([PROVIDER], window, LATE))[PROVIDER][-1]
        assert (last.checks, last.failures, last.latency_ms, last.uptime) == (4, 2, 20.0, 0.5)


async def test_a_probe_counts_in_the_span_that_it_falls_into(store: Store) -> None:
    edge = LATE - LATE.replace(minute=1, second=0)
    await store.record([probe(ago=edge), probe(ago=edge + timedelta(microseconds=1)), probe(ago=59 * MINUTE)])
    minutes = (await store.health([PROVIDER], UptimeWindow.HOUR, LATE))[PROVIDER]
    assert {i: b.checks for i, b in enumerate(minutes) if b.checks} == {0: 1, 58: 1, 59: 1}
    hours = (await store.health([PROVIDER], UptimeWindow.DAY, LATE))[PROVIDER]
    assert {i: b.checks for i, b in enumerate(hours) if b.checks} == {22: 1, 23: 2}


def span(begin: timedelta, end: timedelta, *, up: bool = True, of: str = PROVIDER) -> Span:
    return Span(provider_id=of, start=NOW - begin, end=NOW - end, up=up)


async def test_known_time_is_split_over_the_buckets_that_it_falls_into(store: Store) -> None:
    await store.record([], [span(150 * SECOND, 30 * SECOND, up=False), span(30 * SECOND, -45 * SECOND)])
    minutes = (await store.health([PROVIDER], UptimeWindow.HOUR, NOW))[PROVIDER]
    assert [(b.seconds, b.up) for b in minutes[-4:]] == [(30, 0), (60, 0), (60, 30), (45, 45)]
    hours = (await store.health([PROVIDER], UptimeWindow.DAY, NOW))[PROVIDER]
    assert [(b.seconds, b.up) for b in hours[-2:]] == [(150, 30), (45, 45)]
    days = (await store.health([PROVIDER], UptimeWindow.QUARTER, NOW))[PROVIDER]
    assert (days[-1].seconds, days[-1].up, days[-1].checks) == (195, 75, 0)


@pytest.mark.parametrize("window", UptimeWindow)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), checks=st.integers(0, 60))
async def test_uptime_is_the_share_of_time_whatever_the_cadence_of_checks(
    store: Store, window: UptimeWindow, seed: int, checks: int
) -> None:
    """Checks come at random, more often while all is well; what they found lasts until the next one."""
    rng, provider, at = Random(seed), uuid4().hex, NOW
    spans = []
    for _ in range(checks):
        up = rng.random() < 0.5
        pause = rng.randint(1, 60 if up else 1200) * SECOND
        spans.append(Span(provider_id=provider, start=at, end=at + pause, up=up))
        at += pause + rng.choice([0 * SECOND, 0 * SECOND, 0 * SECOND, HOUR, WINDOWS[window][0] / 20])
    await store.record([], spans[: checks // 2])
    await store.record([], spans[checks // 2 :])
    buckets = (await store.health([provider], window, at))[provider]
    begin = buckets[0].start
    shown = [(max(span.end, begin) - max(span.start, begin), span.up) for span in spans]
    known = sum((length for length, _ in shown), 0 * SECOND)
    share = sum((length for length, up in shown if up), 0 * SECOND) / known if known else None
    assert uptime(buckets) == pytest.approx(share)
    assert all(0 <= b.up <= b.seconds <= (b.end - b.start).total_seconds() for b in buckets)


async def test_checks_that_find_the_same_change_no_uptime(store: Store) -> None:
    half = 10 * MINUTE
    seldom = [span(2 * half, half, of="seldom"), span(half, 0 * MINUTE, up=False, of="seldom")]
    often = [span((n + 1) * 30 * SECOND, n * 30 * SECOND, up=n * 30 * SECOND >= half, of="often") for n in range(40)]
    await store.record([], [*seldom, *often])
    answer = await store.health(["seldom", "often"], UptimeWindow.HOUR, NOW)
    assert uptime(answer["seldom"]) == uptime(answer["often"]) == 0.5


async def test_history_outlives_a_restart(seat: Seat) -> None:
    await (await seat.open()).record([probe()], [span(2 * MINUTE, 1 * MINUTE, up=False)])
    buckets = (await (await seat.open()).health([PROVIDER], UptimeWindow.HOUR, LATE))[PROVIDER]
    assert sum(b.checks for b in buckets) == 1
    assert uptime(buckets) == 0.0


async def test_each_provider_asked_for_is_answered(store: Store) -> None:
    await store.record([probe(of="a"), probe(of="b", ok=False)])
    answer = await store.health(["a", "b", "nobody"], UptimeWindow.HOUR, LATE)
    assert [uptime(answer[id_]) for id_ in ("a", "b", "nobody")] == [1.0, 0.0, None]
    assert await store.health([], UptimeWindow.HOUR, LATE) == {}


async def test_trimming_takes_nothing_that_a_window_shows(store: Store) -> None:
    agos = [span - width for span, width in WINDOWS.values()]
    await store.record([probe(ago=ago) for ago in agos])
    before = {w: await store.health([PROVIDER], w, LATE) for w in UptimeWindow}
    await store.trim(LATE)
    assert {w: await store.health([PROVIDER], w, LATE) for w in UptimeWindow} == before


@pytest.mark.parametrize(("window", "width"), [(w, width) for w, (_, width) in WINDOWS.items()])
async def test_what_is_past_its_retention_is_gone(store: Store, window: UptimeWindow, width: timedelta) -> None:
    past = HEALTH[width] + width
    await store.record([probe(ago=past)])
    assert uptime((await store.health([PROVIDER], window, LATE - past))[PROVIDER]) == 1.0
    await store.trim(LATE)
    assert uptime((await store.health([PROVIDER], window, LATE - past))[PROVIDER]) is None


def incident(number: int, *, over: bool = False) -> Incident:
    start = NOW + number * DAY
    return Incident(
        id=f"i{number}",
        provider_id=PROVIDER,
        started_at=start,
        ended_at=start + HOUR if over else None,
        code=ProviderErrorCode.TIMEOUT,
        message="No answer.",
    )


async def test_incidents_are_read_newest_first_and_no_more_than_asked_for(store: Store) -> None:
    for number in (2, 1, 3):
        await store.open_incident(incident(number))
    answer = await store.incidents([PROVIDER, "nobody"], 2)
    assert answer == {PROVIDER: (incident(3), incident(2)), "nobody": ()}


async def test_an_incident_ends_under_its_own_id(seat: Seat) -> None:
    await (await seat.open()).open_incident(incident(1))
    await (await seat.open()).open_incident(incident(1, over=True))
    assert (await (await seat.open()).incidents([PROVIDER], 10))[PROVIDER] == (incident(1, over=True),)


async def test_an_incident_that_lasts_is_never_trimmed(store: Store) -> None:
    await store.open_incident(incident(1))
    await store.open_incident(incident(2, over=True))
    await store.trim(NOW + 1000 * DAY)
    assert (await store.incidents([PROVIDER], 10))[PROVIDER] == (incident(1),)

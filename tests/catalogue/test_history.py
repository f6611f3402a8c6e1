"""Uptime: the share of the known time, or of answered probes where no time is known, and null where nobody asked."""

from datetime import timedelta

import pytest

from catalogue.history import WINDOWS, HealthBucket, Probe, Span, span_between, uptime
from catalogue.vocabulary import UptimeWindow
from tests.catalogue.strategies import HOUR, NOW, PROVIDER


def bucket(checks: int, failures: int, seconds: float = 0.0, up: float = 0.0) -> HealthBucket:
    return HealthBucket(start=NOW, end=NOW + HOUR, checks=checks, failures=failures, seconds=seconds, up=up)


@pytest.mark.parametrize("buckets", [[], [bucket(0, 0)], [bucket(0, 0), bucket(0, 0)]])
def test_no_data_is_null_and_not_100_percent(buckets: list[HealthBucket]) -> None:
    assert uptime(buckets) is None
    assert all(b.uptime is None for b in buckets)


@pytest.mark.parametrize(
    ("counts", "share"), [([(4, 1)], 0.75), ([(2, 2)], 0.0), ([(9, 0), (0, 0), (1, 1)], 0.9), ([(1, 0)], 1.0)]
)
def test_uptime_weighs_each_probe_the_same_where_no_time_is_known(counts: list[tuple[int, int]], share: float) -> None:
    assert uptime([bucket(*c) for c in counts]) == share


@pytest.mark.parametrize(
    ("buckets", "share"),
    [
        ([bucket(9, 9, 60.0, 60.0)], 1.0),
        ([bucket(1, 0, 100.0, 25.0), bucket(99, 0, 300.0, 75.0)], 0.25),
        ([bucket(5, 5), bucket(1, 0, 60.0, 30.0)], 0.5),
        ([bucket(1, 0, 60.0, 0.0)], 0.0),
    ],
)
def test_uptime_weighs_each_second_the_same(buckets: list[HealthBucket], share: float) -> None:
    assert uptime(buckets) == share


@pytest.mark.parametrize(
    ("minutes", "known"), [(1, True), (20, True), (20.001, False), (0, False), (-1, False)], ids=str
)
def test_a_check_tells_of_the_time_to_the_next_one_unless_that_is_far(minutes: float, *, known: bool) -> None:
    earlier = Probe(provider_id=PROVIDER, at=NOW, ok=False)
    later = Probe(provider_id=PROVIDER, at=NOW + timedelta(minutes=minutes), ok=True)
    span = Span(provider_id=PROVIDER, start=NOW, end=later.at, up=False)
    assert span_between(earlier, later) == (span if known else None)


def test_every_window_is_a_whole_number_of_buckets() -> None:
    assert set(WINDOWS) == set(UptimeWindow)
    assert all(span % width == timedelta(0) for span, width in WINDOWS.values())

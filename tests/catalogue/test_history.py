"""Uptime: the share of answered probes, and null where nobody asked."""

from datetime import timedelta

import pytest

from catalogue.history import WINDOWS, HealthBucket, uptime
from catalogue.vocabulary import UptimeWindow
from tests.catalogue.strategies import HOUR, NOW


def bucket(checks: int, failures: int) -> HealthBucket:
    return HealthBucket(start=NOW, end=NOW + HOUR, checks=checks, failures=failures)


@pytest.mark.parametrize("buckets", [[], [bucket(0, 0)], [bucket(0, 0), bucket(0, 0)]])
def test_no_data_is_null_and_not_100_percent(buckets: list[HealthBucket]) -> None:
    assert uptime(buckets) is None
    assert all(b.uptime is None for b in buckets)


@pytest.mark.parametrize(
    ("counts", "share"), [([(4, 1)], 0.75), ([(2, 2)], 0.0), ([(9, 0), (0, 0), (1, 1)], 0.9), ([(1, 0)], 1.0)]
)
def test_uptime_weighs_each_probe_the_same(counts: list[tuple[int, int]], share: float) -> None:
    assert uptime(bucket(*c) for c in counts) == share


def test_every_window_is_a_whole_number_of_buckets() -> None:
    assert set(WINDOWS) == set(UptimeWindow)
    assert all(span % width == timedelta(0) for span, width in WINDOWS.values())

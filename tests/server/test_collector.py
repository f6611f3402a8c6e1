"""The keeper of the garbage collector."""

import gc
from collections.abc import Iterator

import pytest

from server.collector import retire, settle


@pytest.fixture
def settled() -> Iterator[None]:
    before = gc.get_threshold()
    settle()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def full_collections() -> int:
    return int(gc.get_stats()[2]["collections"])


@pytest.mark.usefixtures("settled")
def test_whatever_grows_old_starts_no_collection_of_everything() -> None:
    before = full_collections()
    old = [[n] for n in range(1_000_000)]
    assert full_collections() == before
    assert len(old) == 1_000_000


@pytest.mark.usefixtures("settled")
def test_what_has_grown_old_is_taken_out_of_sight_and_freed_all_the_same() -> None:
    before = gc.get_freeze_count()
    old = [[n] for n in range(10_000)]
    retire()
    frozen = gc.get_freeze_count()
    assert frozen >= before + 10_000
    del old
    assert gc.get_freeze_count() <= frozen - 10_000


@pytest.mark.usefixtures("settled")
def test_a_young_cycle_is_collected_before_it_could_be_frozen() -> None:
    class Knot:
        living = 0

        def __init__(self) -> None:
            Knot.living += 1
            self.me = self

        def __del__(self) -> None:
            Knot.living -= 1

    Knot()
    retire()
    assert Knot.living == 0

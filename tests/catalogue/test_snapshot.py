"""The snapshot: what a reader sees of a model at one moment."""

from dataclasses import replace
from datetime import timedelta

from catalogue.listing import Listing, merged
from catalogue.snapshot import Snapshot
from catalogue.vocabulary import DataSource, ModelStatus
from tests.catalogue.strategies import HOUR, NOW, PROVIDER, baseline, listing, model, state


def test_a_model_is_found_by_its_id_and_an_unknown_one_is_not() -> None:
    snapshot = Snapshot(judged_at=NOW).with_provider(state(listing(model("a", context_max=8))))
    found = snapshot.model("acme/a")
    assert found is not None
    assert found.context_max == 8
    assert snapshot.model("acme/b") is None
    assert snapshot.model("nobody/a") is None
    assert snapshot.model("") is None


def test_the_count_leaves_gone_models_out_and_they_can_still_be_read() -> None:
    gone = state(merged(listing(model("a"), model("b")), [model("b")], at=NOW))
    snapshot = Snapshot(judged_at=NOW).with_provider(gone)
    assert snapshot.total_models == gone.model_count == 1
    tombstone = snapshot.model("acme/a")
    assert tombstone is not None
    assert tombstone.status is ModelStatus.UNAVAILABLE


def test_a_list_is_live_for_two_lifetimes_and_then_the_last_good_one() -> None:
    live = state(listing(model("a")), list_ttl=HOUR)
    assert live.source(NOW + 2 * HOUR) is DataSource.LIVE
    assert live.source(NOW + 2 * HOUR + timedelta(seconds=1)) is DataSource.LAST_GOOD


def test_the_baseline_and_a_restored_list_say_what_they_are() -> None:
    assert state(baseline(model("a"))).source(NOW) is DataSource.BASELINE
    restored = replace(listing(model("a")), source=DataSource.LAST_GOOD)
    assert state(restored).source(NOW) is DataSource.LAST_GOOD
    assert state(Listing(provider_id=PROVIDER)).source(NOW) is DataSource.BASELINE


def test_replacing_a_provider_leaves_the_old_snapshot_as_it_was() -> None:
    old = Snapshot(judged_at=NOW).with_provider(state(listing(model("a"))))
    new = old.with_provider(state(listing(model("a"), model("b"))))
    assert (old.total_models, new.total_models) == (1, 2)
    assert [facts.id for _, facts in new.facts()] == ["acme/a", "acme/b"]

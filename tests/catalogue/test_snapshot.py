"""The snapshot: what a reader sees of a model at one moment."""

from dataclasses import replace
from datetime import timedelta

from catalogue.health import Health
from catalogue.listing import Listing, merged
from catalogue.vocabulary import DataSource, HealthStatus, ModelStatus
from tests.catalogue.strategies import HOUR, NOW, PROVIDER, baseline, listing, model, state
from tests.catalogue.strategies import snapshot as world


def test_a_model_is_found_by_its_id_and_an_unknown_one_is_not() -> None:
    snapshot = world(state(listing(model("a", context_max=8))))
    found = snapshot.model("acme/a")
    assert found is not None
    assert found.facts.context_max == 8
    assert snapshot.model("acme/b") is None
    assert snapshot.model("nobody/a") is None
    assert snapshot.model("") is None


def test_the_count_leaves_gone_models_out_and_they_can_still_be_read() -> None:
    gone = state(merged(listing(model("a"), model("b")), [model("b")], at=NOW))
    snapshot = world(gone)
    assert snapshot.revision.total_models == gone.model_count == 1
    tombstone = snapshot.model("acme/a")
    assert tombstone is not None
    assert tombstone.status is ModelStatus.UNAVAILABLE


def test_a_list_is_live_for_two_lifetimes_and_then_the_last_good_one() -> None:
    live = state(listing(model("a")), list_ttl=HOUR)
    assert live.at(NOW + 2 * HOUR).source is DataSource.LIVE
    assert live.at(NOW + 2 * HOUR + timedelta(seconds=1)).source is DataSource.LAST_GOOD


def test_the_baseline_and_a_restored_list_say_what_they_are() -> None:
    assert state(baseline(model("a"))).source is DataSource.BASELINE
    restored = replace(state(listing(model("a"))), confirmed=False)
    assert restored.source is DataSource.LAST_GOOD
    assert state(Listing(provider_id=PROVIDER)).source is DataSource.BASELINE


def test_replacing_a_provider_leaves_the_old_snapshot_as_it_was() -> None:
    old = world(state(listing(model("a"))))
    new = old.with_provider(state(listing(model("a"), model("b"))))
    assert (old.revision.total_models, new.revision.total_models) == (1, 2)
    assert [facts.id for facts in new.revision.index.rows] == ["acme/a", "acme/b"]


def test_a_check_that_moves_times_alone_leaves_the_revision_the_very_same_object() -> None:
    before = state(listing(model("a")))
    checked = replace(before, health=replace(before.health, last_checked=NOW + HOUR))
    old = world(before)
    new = old.with_provider(checked)
    assert new.revision is old.revision
    assert new.providers["acme"].health.last_checked == NOW + HOUR


def test_a_status_edge_makes_another_revision_that_keeps_the_index_of_the_listings() -> None:
    before = state(listing(model("a")))
    old = world(before)
    index = old.revision.index
    down = replace(before, health=Health(provider_id=PROVIDER, status=HealthStatus.DOWN)).at(NOW)
    new = old.with_provider(down)
    assert new.revision is not old.revision
    assert new.revision.index is index


def test_another_listing_has_an_index_of_its_own_and_shares_none() -> None:
    old = world(state(listing(model("a"))))
    index = old.revision.index
    new = old.with_provider(state(listing(model("b"))))
    assert new.revision.index is not index
    assert [facts.id for facts in new.revision.index.rows] == ["acme/b"]

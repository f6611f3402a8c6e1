"""Changes between two states of a provider, and the way back."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.change import (
    CHANGE,
    DetailsChanged,
    ExpiryAnnounced,
    ExpiryWithdrawn,
    ModelAdded,
    ModelRemoved,
    PriceChanged,
    ProviderHealthChanged,
    Resync,
    StatusChanged,
)
from catalogue.diff import DETAILS, TRACKED, apply, diff, tracked
from catalogue.facts import ModelFacts, Price
from catalogue.health import Standing
from catalogue.listing import merged
from catalogue.vocabulary import Capability, HealthStatus, ModelStatus
from tests.catalogue.strategies import FIELDS, HOUR, NOW, PROVIDER, baseline, listing, lists, model, state

LATER = NOW + timedelta(minutes=10)
NOISE = {"id", "provider_id", "description", "released_at"}


@given(st.lists(lists, min_size=2, max_size=4))
def test_applying_the_changes_of_each_list_leads_to_its_tracked_facts(versions: list[list[ModelFacts]]) -> None:
    current = listing(*versions[0])
    for step, rows in enumerate(versions[1:], start=1):
        at = NOW + step * timedelta(minutes=10)
        following = merged(current, rows, at=at)
        changes = diff(state(current), state(following, at=at), at=at)
        assert tracked(apply(changes, current.models)) == tracked(following.models)
        current = following


@given(lists, lists)
def test_the_law_holds_for_changes_that_were_written_as_json_and_read_back(
    old: list[ModelFacts], new: list[ModelFacts]
) -> None:
    before = listing(*old)
    after = merged(before, new, at=LATER)
    changes = diff(state(before), state(after, at=LATER), at=LATER)
    read = [CHANGE.validate_json(CHANGE.dump_json(c)) for c in changes]
    assert read == changes
    assert tracked(apply(read, before.models)) == tracked(after.models)


@given(lists)
def test_an_equal_list_changes_nothing(rows: list[ModelFacts]) -> None:
    before = listing(*rows)
    again = merged(before, [row.model_copy(deep=True) for row in rows], at=NOW)
    assert diff(state(before), state(again), at=NOW) == []


def test_every_fact_is_tracked_or_named_as_noise() -> None:
    assert set(TRACKED) | NOISE == set(ModelFacts.model_fields)
    assert not set(TRACKED) & NOISE
    assert len(TRACKED) == len(set(TRACKED))
    assert set(FIELDS) == set(ModelFacts.model_fields) - {"id", "provider_id"}


@pytest.mark.parametrize("noise", [{"description": "new words"}, {"released_at": NOW}])
def test_noise_raises_no_change(noise: dict[str, object]) -> None:
    before = listing(model("a"))
    after = merged(before, [model("a", **noise)], at=NOW)
    assert diff(state(before), state(after), at=NOW) == []
    assert after.models["acme/a"] != before.models["acme/a"]


OTHER: dict[str, object] = {
    "name": "other",
    "capabilities": frozenset({Capability.CHAT}),
    "lacking": frozenset({Capability.CHAT}),
    "input_modalities": ("text",),
    "output_modalities": ("text",),
    "context_max": 1,
    "output_max": 1,
    "api_version": "v2",
    "lab": "lab",
    "knowledge_cutoff": "2025",
    "open_weights": False,
    "limits": {"requests_per_minute": 1},
    "successor": "b",
    "family": "f",
}


@pytest.mark.parametrize("field", [f for f in DETAILS if f != "deprecated"])
def test_a_changed_detail_names_its_field_and_nothing_else(field: str) -> None:
    before = listing(model("a"))
    after = merged(before, [model("a", **{field: OTHER[field]})], at=NOW)
    (change,) = diff(state(before), state(after), at=NOW)
    assert isinstance(change, DetailsChanged)
    assert change.fields == (field,)


def test_a_deprecation_changes_a_detail_and_the_status() -> None:
    before = listing(model("a"))
    after = merged(before, [model("a", deprecated=True)], at=NOW)
    details, status = diff(state(before), state(after), at=NOW)
    assert isinstance(details, DetailsChanged)
    assert details.fields == ("deprecated",)
    assert isinstance(status, StatusChanged)
    assert (status.before, status.after) == (ModelStatus.AVAILABLE, ModelStatus.DEPRECATED)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (None, Price(input=Decimal(0))),
        (Price(input=Decimal(0)), None),
        (Price(input=Decimal("1E-7")), Price(input=Decimal("2E-7"))),
        (Price(), Price(cache_read=Decimal(1))),
    ],
)
def test_a_price_that_appears_vanishes_or_moves_is_one_price_change(old: Price | None, new: Price | None) -> None:
    before = listing(model("a", price=old))
    after = merged(before, [model("a", price=new)], at=NOW)
    (change,) = diff(state(before), state(after), at=NOW)
    assert isinstance(change, PriceChanged)
    assert (change.before, change.after) == (old, new)


def test_the_same_price_in_another_notation_is_no_change() -> None:
    before = listing(model("a", price=Price(input=Decimal("0.0000010"))))
    after = merged(before, [model("a", price=Price(input=Decimal("1E-6")))], at=NOW)
    assert diff(state(before), state(after), at=NOW) == []


def test_an_end_is_announced_moved_and_withdrawn() -> None:
    open_end = listing(model("a"))
    soon = merged(open_end, [model("a", expires_at=NOW + HOUR)], at=NOW)
    later = merged(soon, [model("a", expires_at=NOW + 2 * HOUR)], at=NOW)
    withdrawn = merged(later, [model("a")], at=NOW)
    (announced,) = diff(state(open_end), state(soon), at=NOW)
    (moved,) = diff(state(soon), state(later), at=NOW)
    (taken_back,) = diff(state(later), state(withdrawn), at=NOW)
    assert isinstance(announced, ExpiryAnnounced)
    assert isinstance(moved, ExpiryAnnounced)
    assert moved.expires_at == NOW + 2 * HOUR
    assert isinstance(taken_back, ExpiryWithdrawn)


def test_an_announced_end_that_passes_changes_the_status_alone() -> None:
    ending = listing(model("a", expires_at=NOW + timedelta(minutes=1)), model("b"))
    (change,) = diff(state(ending), state(ending, at=LATER), at=LATER)
    assert isinstance(change, StatusChanged)
    assert change.model.facts.id == "acme/a"
    assert change.after is ModelStatus.DEPRECATED


def test_a_model_gone_once_becomes_unavailable_and_gone_twice_is_removed() -> None:
    before = listing(model("a"), model("b"))
    once = merged(before, [model("b")], at=NOW)
    twice = merged(once, [model("b")], at=NOW)
    (unavailable,) = diff(state(before), state(once), at=NOW)
    (removed,) = diff(state(once), state(twice), at=NOW)
    assert isinstance(unavailable, StatusChanged)
    assert unavailable.after is ModelStatus.UNAVAILABLE
    assert isinstance(removed, ModelRemoved)
    assert removed.model.facts.id == "acme/a"


def test_a_model_that_appears_is_added_as_it_is_then() -> None:
    before = listing(model("a"))
    after = merged(before, [model("a"), model("b", deprecated=True)], at=LATER)
    (added,) = diff(state(before), state(after, at=LATER), at=LATER)
    assert isinstance(added, ModelAdded)
    assert added.model.status is ModelStatus.DEPRECATED
    assert added.model.first_seen_at == LATER


def test_the_first_list_of_a_provider_raises_one_resync_and_no_change_per_model() -> None:
    before = baseline(model("a"), model("b"))
    after = merged(before, [model("a"), model("c")], at=NOW)
    (change,) = diff(state(before), state(after), at=NOW)
    assert isinstance(change, Resync)
    assert "Acme" in change.reason


def test_a_baseline_that_is_judged_anew_raises_nothing() -> None:
    packaged = state(baseline(model("a")))
    assert diff(packaged, packaged.judged(NOW + 10 * HOUR), at=NOW) == []


def test_a_health_edge_is_told_with_the_statuses_that_follow_from_it() -> None:
    up = state(listing(model("a"), model("b", deprecated=True)))
    down = replace(up, standing=Standing(provider_id=PROVIDER, status=HealthStatus.DOWN)).judged(NOW)
    edge, *statuses = diff(up, down, at=NOW)
    assert isinstance(edge, ProviderHealthChanged)
    assert (edge.before, edge.after, edge.model_count) == (HealthStatus.HEALTHY, HealthStatus.DOWN, 2)
    assert [c.kind for c in statuses] == ["STATUS_CHANGED"] * 2


def test_a_check_that_finds_the_same_health_is_no_change() -> None:
    before = state(listing(model("a")))
    checked = replace(before, standing=replace(before.standing, last_checked=LATER, latency_ms=12.0)).judged(NOW)
    assert diff(before, checked, at=LATER) == []

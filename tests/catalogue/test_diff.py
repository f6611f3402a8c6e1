"""Changes between two states of a provider, and the way back."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from catalogue.change import (
    Change,
    DetailsChanged,
    ExpiryAnnounced,
    ExpiryWithdrawn,
    ModelAdded,
    ModelChange,
    ModelRemoved,
    PriceChanged,
    ProviderHealthChanged,
    Resync,
    StatusChanged,
)
from catalogue.diff import DETAILS, TRACKED, diff, tracked
from catalogue.facts import ModelFacts, Price
from catalogue.health import Health
from catalogue.listing import merged
from catalogue.position import Position
from catalogue.vocabulary import Capability, HealthStatus, ModelStatus, StatusCause
from tests.catalogue.replay import apply
from tests.catalogue.strategies import FIELDS, HOUR, NOW, PROVIDER, baseline, changes, listing, lists, model, state

LATER = NOW + timedelta(minutes=10)
NOISE = {"id", "provider_id", "description", "released_at", "weights", "canonical_name"}
CHANGE: TypeAdapter[Change] = TypeAdapter(Change)


@given(st.lists(lists, min_size=2, max_size=4))
def test_applying_the_changes_of_each_list_leads_to_its_tracked_facts(versions: list[list[ModelFacts]]) -> None:
    current = listing(*versions[0])
    for step, rows in enumerate(versions[1:], start=1):
        at = NOW + step * timedelta(minutes=10)
        following = merged(current, rows, at=at)
        found = changes(state(current), state(following, at=at), at=at)
        assert tracked(apply(found, current.models)) == tracked(following.models)
        current = following


@given(lists, lists)
def test_the_law_holds_for_changes_that_were_written_as_json_and_read_back(
    old: list[ModelFacts], new: list[ModelFacts]
) -> None:
    before = listing(*old)
    after = merged(before, new, at=LATER)
    found = changes(state(before), state(after, at=LATER), at=LATER)
    read = [CHANGE.validate_json(CHANGE.dump_json(c)) for c in found]
    assert read == found
    assert tracked(apply(read, before.models)) == tracked(after.models)


@given(lists)
def test_an_equal_list_changes_nothing(rows: list[ModelFacts]) -> None:
    before = listing(*rows)
    again = merged(before, [row.model_copy(deep=True) for row in rows], at=NOW)
    assert changes(state(before), state(again)) == []


def test_every_fact_is_tracked_or_named_as_noise() -> None:
    assert set(TRACKED) | NOISE == set(ModelFacts.model_fields)
    assert not set(TRACKED) & NOISE
    assert len(TRACKED) == len(set(TRACKED))
    assert set(FIELDS) == set(ModelFacts.model_fields) - {"id", "provider_id"}


@pytest.mark.parametrize(
    "noise", [{"description": "new words"}, {"released_at": NOW}, {"weights": "lab/a"}, {"canonical_name": "a"}]
)
def test_noise_raises_no_change(noise: dict[str, object]) -> None:
    before = listing(model("a"))
    after = merged(before, [model("a", **noise)], at=NOW)
    assert changes(state(before), state(after)) == []
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
}


@pytest.mark.parametrize("field", [f for f in DETAILS if f != "deprecated"])
def test_a_changed_detail_names_its_field_and_nothing_else(field: str) -> None:
    before = listing(model("a"))
    after = merged(before, [model("a", **{field: OTHER[field]})], at=NOW)
    (change,) = changes(state(before), state(after))
    assert isinstance(change, DetailsChanged)
    assert change.fields == (field,)


def test_a_deprecation_changes_a_detail_and_the_status() -> None:
    before = listing(model("a"))
    after = merged(before, [model("a", deprecated=True)], at=NOW)
    details, status = changes(state(before), state(after))
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
    (change,) = changes(state(before), state(after))
    assert isinstance(change, PriceChanged)
    assert (change.before, change.after) == (old, new)


def test_the_same_price_in_another_notation_is_no_change() -> None:
    before = listing(model("a", price=Price(input=Decimal("0.0000010"))))
    after = merged(before, [model("a", price=Price(input=Decimal("1E-6")))], at=NOW)
    assert changes(state(before), state(after)) == []


def test_an_end_is_announced_moved_and_withdrawn() -> None:
    open_end = listing(model("a"))
    soon = merged(open_end, [model("a", expires_at=NOW + HOUR)], at=NOW)
    later = merged(soon, [model("a", expires_at=NOW + 2 * HOUR)], at=NOW)
    withdrawn = merged(later, [model("a")], at=NOW)
    (announced,) = changes(state(open_end), state(soon))
    (moved,) = changes(state(soon), state(later))
    (taken_back,) = changes(state(later), state(withdrawn))
    assert isinstance(announced, ExpiryAnnounced)
    assert isinstance(moved, ExpiryAnnounced)
    assert moved.expires_at == NOW + 2 * HOUR
    assert isinstance(taken_back, ExpiryWithdrawn)


def test_an_announced_end_that_passes_changes_the_status_alone() -> None:
    ending = listing(model("a", expires_at=NOW + timedelta(minutes=1)), model("b"))
    (change,) = changes(state(ending), state(ending, at=LATER), at=LATER)
    assert isinstance(change, StatusChanged)
    assert change.model.facts.id == "acme/a"
    assert change.after is ModelStatus.DEPRECATED


def test_a_model_gone_once_becomes_unavailable_and_gone_twice_is_removed() -> None:
    before = listing(model("a"), model("b"))
    once = merged(before, [model("b")], at=NOW)
    twice = merged(once, [model("b")], at=NOW)
    (unavailable,) = changes(state(before), state(once))
    (removed,) = changes(state(once), state(twice))
    assert isinstance(unavailable, StatusChanged)
    assert unavailable.after is ModelStatus.UNAVAILABLE
    assert isinstance(removed, ModelRemoved)
    assert removed.model.facts.id == "acme/a"


def test_a_model_that_appears_is_added_as_it_is_then() -> None:
    before = listing(model("a"))
    after = merged(before, [model("a"), model("b", deprecated=True)], at=LATER)
    (added,) = changes(state(before), state(after, at=LATER), at=LATER)
    assert isinstance(added, ModelAdded)
    assert added.model.status is ModelStatus.DEPRECATED
    assert added.model.first_seen_at == LATER


def test_the_first_list_of_a_provider_raises_one_resync_and_no_change_per_model() -> None:
    before = baseline(model("a"), model("b"))
    after = merged(before, [model("a"), model("c")], at=NOW)
    (change,) = changes(state(before), state(after))
    assert isinstance(change, Resync)
    assert "Acme" in change.reason


def test_a_baseline_that_is_judged_anew_raises_nothing() -> None:
    packaged = state(baseline(model("a")))
    assert changes(packaged, packaged.at(NOW + 10 * HOUR)) == []


def test_a_health_edge_is_told_with_the_statuses_that_follow_from_it() -> None:
    up = state(listing(model("a"), model("b", deprecated=True)))
    down = replace(up, health=Health(provider_id=PROVIDER, status=HealthStatus.DOWN)).at(NOW)
    edge, *statuses = changes(up, down)
    assert isinstance(edge, ProviderHealthChanged)
    assert (edge.before, edge.after, edge.model_count) == (HealthStatus.HEALTHY, HealthStatus.DOWN, 2)
    assert [(c.kind, getattr(c, "cause", None)) for c in statuses] == [("STATUS_CHANGED", StatusCause.HEALTH)] * 2


def test_a_check_that_finds_the_same_health_is_no_change() -> None:
    before = state(listing(model("a")))
    checked = replace(before, health=replace(before.health, last_checked=LATER, latency_ms=12.0)).at(NOW)
    assert changes(before, checked, at=LATER) == []


def test_changes_are_numbered_without_a_gap_from_the_position_they_follow() -> None:
    before = listing(model("a"), model("b"))
    after = merged(before, [model("c")], at=NOW)
    found = diff(state(before), state(after), at=NOW, since=Position("e", 7))
    assert [c.position for c in found] == [Position("e", 8), Position("e", 9), Position("e", 10)]


def test_only_models_with_a_status_of_their_own_are_looked_at_where_no_common_status_moved() -> None:
    ending = listing(*(model(f"m{n}") for n in range(5)), model("ending", expires_at=NOW + HOUR))
    before, after = state(ending), state(ending, at=NOW + HOUR)
    assert before.statuses.common is after.statuses.common
    assert [c.model.facts.id for c in changes(before, after, at=NOW + HOUR) if isinstance(c, ModelChange)] == [
        "acme/ending"
    ]

"""How the next good list is merged into the one before."""

from datetime import timedelta

from hypothesis import given

from catalogue.facts import ModelFacts
from catalogue.listing import Listing, confirmed, merged
from tests.catalogue.strategies import NOW, PROVIDER, baseline, listing, lists, model

LATER = NOW + timedelta(minutes=10)
A, B = model("a"), model("b")


def test_a_model_missing_once_is_kept_as_gone_with_its_facts() -> None:
    once = merged(listing(A, B), [B], at=LATER)
    assert once.gone == {A.id}
    assert once.models[A.id] is A


def test_a_model_missing_twice_is_removed_with_all_that_was_known_of_it() -> None:
    twice = merged(merged(listing(A, B), [B], at=LATER), [B], at=LATER)
    assert set(twice.models) == {B.id}
    assert twice.gone == frozenset()


def test_a_model_that_reappears_is_no_longer_gone_and_keeps_when_it_was_first_seen() -> None:
    new = merged(listing(B), [A, B], at=NOW)
    back = merged(merged(new, [B], at=LATER), [B, A], at=LATER)
    assert back.gone == frozenset()
    assert back.first_seen == {A.id: NOW}


def test_a_model_that_reappears_after_its_removal_is_new() -> None:
    removed = merged(merged(listing(A, B), [B], at=NOW), [B], at=NOW)
    assert merged(removed, [A, B], at=LATER).first_seen == {A.id: LATER}


@given(lists)
def test_a_list_of_equal_rows_is_the_listing_itself(rows: list[ModelFacts]) -> None:
    before = listing(*rows)
    again = merged(before, [row.model_copy(deep=True) for row in rows], at=LATER)
    assert again is before


@given(lists, lists)
def test_a_merged_listing_holds_the_rows_and_the_newly_missing(old: list[ModelFacts], new: list[ModelFacts]) -> None:
    before = listing(*old)
    after = merged(before, new, at=LATER)
    missing = set(before.models) - {row.id for row in new}
    assert after.gone == missing
    assert {i: f for i, f in after.models.items() if i not in missing} == {row.id: row for row in new}
    assert set(after.first_seen) == set(after.models) - set(before.models)


def test_an_empty_first_list_makes_none_of_the_packaged_models_live() -> None:
    first = merged(baseline(A, B), [], at=LATER)
    assert (dict(first.models), first.is_reference) == ({}, True)


def test_a_changed_row_replaces_the_record_alone() -> None:
    before = listing(A, B)
    after = merged(before, [A, model("b", context_max=1)], at=LATER)
    assert after.models[A.id] is A
    assert after.models[B.id].context_max == 1


def test_the_baseline_leaves_no_trace_in_the_first_live_list() -> None:
    live = merged(baseline(A, B), [B], at=LATER)
    assert set(live.models) == {B.id}
    assert live.gone == frozenset()
    assert live.first_seen == {}


def test_a_confirmation_is_the_listing_itself() -> None:
    before = listing(A, B)
    assert confirmed(before, at=LATER) is before


def test_nobody_knows_since_when_a_provider_has_the_models_of_its_first_list() -> None:
    assert listing(A, B).first_seen == {}
    assert merged(listing(A), [A, B], at=LATER).first_seen == {B.id: LATER}


def test_a_confirmation_is_the_second_list_without_what_was_gone() -> None:
    once = merged(listing(A, B), [B], at=NOW)
    assert set(confirmed(once, at=LATER).models) == {B.id}


def test_only_what_the_provider_once_said_is_a_reference() -> None:
    assert listing().is_reference
    assert not baseline(A).is_reference
    assert not Listing(provider_id=PROVIDER).is_reference

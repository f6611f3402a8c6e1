"""When a new list is held back: the thresholds at their edges."""

from decimal import Decimal

import pytest

from catalogue.facts import ModelFacts, Price
from catalogue.guard import GuardLimits, suspicion
from catalogue.listing import Listing, merged
from tests.catalogue.strategies import NOW, PROVIDER, baseline, listing, model

LIMITS = GuardLimits()


def rows(count: int, *, price: str | None = "0.000001", jumped: int = 0, to: str = "0.001") -> list[ModelFacts]:
    """A list of priced models, of which the first few have another price."""

    def priced(index: int) -> Price | None:
        amount = to if index < jumped else price
        return None if amount is None else Price(input=Decimal(amount), output=Decimal(1))

    return [model(f"m{index}", price=priced(index)) for index in range(count)]


@pytest.mark.parametrize(
    ("before", "after", "held"),
    [
        (100, 71, False),
        (100, 70, False),
        (100, 69, True),
        (30, 21, False),
        (30, 20, True),
        (10, 1, False),
        (10, 0, True),
        (1, 0, True),
        (0, 0, False),
        (10, 50, False),
    ],
)
def test_a_list_that_lost_more_than_30_percent_and_10_models_or_all_is_held_back(
    before: int, after: int, *, held: bool
) -> None:
    assert (suspicion(listing(*rows(before)), rows(after), LIMITS) is not None) is held


@pytest.mark.parametrize(
    ("count", "jumped", "held"),
    [(200, 10, False), (200, 11, True), (100, 9, False), (100, 10, True), (20, 9, False), (20, 10, True)],
)
def test_prices_of_more_than_5_percent_and_10_models_must_jump(count: int, jumped: int, *, held: bool) -> None:
    found = suspicion(listing(*rows(count)), rows(count, jumped=jumped), LIMITS)
    assert (found is not None) is held


@pytest.mark.parametrize(
    ("before", "after", "held"),
    [
        ("1", "9.99", False),
        ("1", "10", True),
        ("1", "10.01", True),
        ("1", "0.101", False),
        ("1", "0.1", True),
        ("1", "0", True),
        ("0", "1000", False),
        ("0", "0", False),
        ("1", "1", False),
    ],
)
def test_a_price_jumps_by_a_factor_of_ten_or_to_zero_but_not_from_zero(before: str, after: str, *, held: bool) -> None:
    found = suspicion(listing(*rows(20, price=before)), rows(20, jumped=20, to=after), LIMITS)
    assert (found is not None) is held


def test_a_price_that_vanishes_jumps_and_one_that_appears_does_not() -> None:
    unpriced, priced = rows(20, price=None), rows(20)
    assert suspicion(listing(*priced), unpriced, LIMITS) is not None
    assert suspicion(listing(*unpriced), priced, LIMITS) is None


def test_the_share_of_jumps_is_of_the_priced_models() -> None:
    before = [*rows(100), *(model(f"unpriced{n}") for n in range(900))]
    after = [*rows(100, jumped=10), *before[100:]]
    assert suspicion(listing(*before), after, LIMITS) is not None


def test_a_model_that_was_gone_already_is_not_lost_again() -> None:
    once = merged(listing(*rows(39)), rows(30), at=NOW)
    assert suspicion(once, rows(21), LIMITS) is None
    assert suspicion(once, rows(20), LIMITS) is not None


def test_a_baseline_or_an_empty_start_is_nothing_to_compare_with() -> None:
    assert suspicion(baseline(*rows(100)), rows(3), LIMITS) is None
    assert suspicion(Listing(provider_id=PROVIDER), [], LIMITS) is None


def test_an_empty_list_is_suspicious_where_packaged_data_knows_models() -> None:
    found = suspicion(baseline(*rows(100)), [], LIMITS)
    assert found is not None
    assert found.reason == "The list is empty; 100 models were known."


def test_the_shares_are_settings() -> None:
    before, after = listing(*rows(100)), rows(60)
    assert suspicion(before, after, GuardLimits(removed_share=0.5)) is None
    assert suspicion(before, rows(100, jumped=20), GuardLimits(repriced_share=0.5)) is None


def test_the_reason_the_counts_and_a_bounded_sample_say_what_it_would_change() -> None:
    found = suspicion(listing(*rows(100)), [*rows(60, jumped=30), model("new")], LIMITS)
    assert found is not None
    assert found.reason == "The list lost 40 of 100 models."
    assert (found.added, found.removed, found.repriced) == (1, 40, 30)
    assert len(found.sample) == 20
    assert found.sample[0] == "removes acme/m60"
    assert found.sample[-1] == "reprices acme/m9: input 1 → 1000"


def test_the_sample_tells_what_each_price_was_and_would_be_per_million_tokens() -> None:
    before, dear = rows(20, price="0.0000031"), rows(20, price="0.0000031", jumped=20, to="3.1")
    found = suspicion(listing(*before), dear, LIMITS)
    assert found is not None
    assert found.sample[0] == "reprices acme/m0: input 3.1 → 3100000"
    vanished = suspicion(listing(*before), rows(20, price=None), LIMITS)
    assert vanished is not None
    assert vanished.sample[0] == "reprices acme/m0: its price vanishes (input 3.1, output 1000000)"

"""Choosing models: what is not said fulfils no condition, and an order puts the unknown last."""

import pytest

from catalogue.errors import BadUserInput, UnknownProvider
from catalogue.facts import ModelFacts, PricingUnit, in_unit
from catalogue.ranking import Direction, OrderField, Ranking, relevance
from catalogue.selection import LONGEST_SEARCH, Criteria, Filter, offers, select
from catalogue.snapshot import Snapshot
from catalogue.vocabulary import Capability, DataSource, Modality, ModelStatus
from tests.catalogue.strategies import HOUR, NOW, listing, model, snapshot, state

SAYING = model(
    "saying",
    name="Zeta Vision",
    lab="Zeta Labs",
    capabilities={Capability.CHAT, Capability.VISION},
    input_modalities=["text", "image"],
    output_modalities=["text"],
    premium=True,
    context_max=100,
    output_max=10,
    price={"input": "0.000001", "output": "0.000002"},
    released_at=NOW,
    expires_at=NOW + HOUR,
    canonical_name="zeta",
)
SILENT = model("silent", name="alpha")
FREE = model("free", name="Beta", premium=False, price={"input": "0", "output": "0"}, lacking={Capability.VISION})
WORLD = snapshot(state(listing(SAYING, SILENT, FREE)))


def chosen(criteria: Criteria, ranking: Ranking | None = None, of: Snapshot = WORLD) -> list[str]:
    return [row.name for row in select(of, criteria, ranking)]


def test_without_criteria_all_models_come_by_name_whatever_its_case() -> None:
    assert chosen(Criteria()) == ["alpha", "Beta", "Zeta Vision"]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (Filter(premium=True), ["Zeta Vision"]),
        (Filter(premium=False), ["Beta"]),
        (Filter(free=True), ["Beta"]),
        (Filter(free=False), ["Zeta Vision"]),
        (Filter(vision=True), ["Zeta Vision"]),
        (Filter(vision=False), ["Beta"]),
        (Filter(min_context=100), ["Zeta Vision"]),
        (Filter(min_context=101), []),
        (Filter(min_output=10), ["Zeta Vision"]),
        (Filter(min_output=11), []),
        (Filter(max_input_price=1.0), ["Beta", "Zeta Vision"]),
        (Filter(max_input_price=0.999999), ["Beta"]),
        (Filter(max_output_price=0.000002, price_per=PricingUnit.TOKEN), ["Beta", "Zeta Vision"]),
        (Filter(input_modality=(Modality.TEXT, Modality.IMAGE)), ["Zeta Vision"]),
        (Filter(input_modality=(Modality.AUDIO,)), []),
        (Filter(output_modality=(Modality.TEXT,)), ["Zeta Vision"]),
        (Filter(released_after=NOW - HOUR), ["Zeta Vision"]),
        (Filter(released_after=NOW), []),
        (Filter(expires_before=NOW + 2 * HOUR), ["Zeta Vision"]),
        (Filter(expires_before=NOW + HOUR), []),
        (Filter(source=(DataSource.BASELINE,)), []),
        (Filter(source=(DataSource.LIVE,)), ["alpha", "Beta", "Zeta Vision"]),
        (Filter(min_context=0), ["Zeta Vision"]),
    ],
)
def test_what_a_model_does_not_say_fulfils_no_condition(wanted: Filter, names: list[str]) -> None:
    assert chosen(Criteria(filter=wanted)) == names


def test_capabilities_must_all_be_there_and_one_status_of_several_suffices() -> None:
    assert chosen(Criteria(capabilities=frozenset({Capability.CHAT, Capability.VISION}))) == ["Zeta Vision"]
    assert chosen(Criteria(capabilities=frozenset({Capability.CHAT, Capability.TOOLS}))) == []
    some = frozenset({ModelStatus.AVAILABLE, ModelStatus.LIMITED})
    assert len(chosen(Criteria(statuses=some))) == 3
    assert chosen(Criteria(statuses=frozenset({ModelStatus.DEPRECATED}))) == []


def test_a_provider_that_is_none_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(UnknownProvider, match="acme"):
        select(WORLD, Criteria(providers=frozenset({"acme", "nobody"})))


@pytest.mark.parametrize(
    ("search", "names"),
    [("ZETA", ["Zeta Vision"]), ("labs vision", ["Zeta Vision"]), ("acme/", 3), ("  ", 3), ("zeta beta", [])],
)
def test_every_word_of_a_search_must_occur_somewhere(search: str, names: list[str] | int) -> None:
    found = chosen(Criteria(search=search))
    assert (len(found) if isinstance(names, int) else found) == names


def test_a_search_that_is_too_long_is_an_error() -> None:
    assert chosen(Criteria(search="x" * LONGEST_SEARCH)) == []
    with pytest.raises(BadUserInput, match="search"):
        select(WORLD, Criteria(search="x" * (LONGEST_SEARCH + 1)))


@pytest.mark.parametrize("field", [OrderField.INPUT_PRICE, OrderField.CONTEXT, OrderField.RELEASED])
@pytest.mark.parametrize("direction", Direction)
def test_an_unknown_key_sorts_last_in_both_directions(field: OrderField, direction: Direction) -> None:
    assert "alpha" in chosen(Criteria(), Ranking(field, direction))[1:]
    assert chosen(Criteria(), Ranking(field, direction))[-1] != "Zeta Vision"


@pytest.mark.parametrize("field", OrderField)
@pytest.mark.parametrize("direction", Direction)
def test_no_two_models_share_a_place(field: OrderField, direction: Direction) -> None:
    ranking = Ranking(field, direction, "a")
    rows = select(WORLD, Criteria(), ranking)
    place = ranking.placing(WORLD.revision)
    places = [place(row) for row in rows]
    assert places == sorted(places)
    assert len({str(place) for place in places}) == 3


def test_names_in_descending_order_are_the_ascending_ones_reversed() -> None:
    twins = [model(name, name=name) for name in ("a", "ab", "abc", "b")]
    world = snapshot(state(listing(*twins)))
    assert chosen(Criteria(), Ranking(OrderField.NAME, Direction.DESC), world) == ["b", "abc", "ab", "a"]


def test_relevance_ranks_exact_prefix_word_and_inside() -> None:
    ranked: list[ModelFacts] = [
        model("gpt"),
        model("gpt-5"),
        model("the-gpt"),
        model("chatgpt"),
        model("other"),
    ]
    assert [relevance(facts, "gpt") for facts in ranked] == [0, 1, 2, 3, 4]


def test_offers_are_models_of_the_same_family_and_never_the_model_itself() -> None:
    twin = model("twin", canonical_name="zeta")
    world = snapshot(state(listing(SAYING, SILENT, twin)))
    assert [row.id for row in offers(world, SAYING)] == ["acme/twin"]
    assert offers(world, SILENT) == []


def test_each_snapshot_is_searched_by_itself() -> None:
    other = snapshot(state(listing(FREE)))
    assert chosen(Criteria(), of=other) == ["Beta"]
    assert len(chosen(Criteria())) == 3


def test_a_price_is_exact_in_every_unit() -> None:
    price = SAYING.price
    assert price is not None
    assert in_unit(price.input, PricingUnit.MILLION) == 1.0
    assert in_unit(price.output, PricingUnit.THOUSAND) == 0.002
    assert in_unit(None, PricingUnit.TOKEN) is None


@pytest.mark.parametrize("bound", [float("nan"), float("inf")])
def test_a_bound_that_is_no_number_is_an_error(bound: float) -> None:
    with pytest.raises(BadUserInput):
        Filter(max_input_price=bound)

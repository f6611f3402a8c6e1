"""What operations cost before they run."""

from typing import Any

import pytest

from execution.cost import Estimate, estimate
from execution.limits import DocumentLimits
from tests.small.world import World

SEARCH = 51
"""What it costs to look through the thousand models of the small world, whatever comes of it."""


@pytest.mark.parametrize(
    ("query", "cost"),
    [
        ("{ __typename }", 1),
        ("{ model { id } }", 2),
        ("{ models { id } }", 1_100 + SEARCH),
        ("{ models(limit: 20) { id } }", 22 + SEARCH),
        ("{ models(limit: 0) { id } }", SEARCH),
        ("{ models(limit: -5) { id } }", SEARCH),
        ("{ models(limit: 5000) { id } }", 1_100 + SEARCH),
        ("{ models(limit: null) { id } }", 1_100 + SEARCH),
        ("{ models(limit: 20) { id pricing { input output } } }", 46 + SEARCH),
        ("{ models(limit: 20) { tiers { input } } }", 130 + SEARCH),
        ("{ providers { id } }", 22),
        ("{ providers { models(limit: 10) { id } } }", 240 + 20 * SEARCH),
        ("{ changes { id } }", 110 + SEARCH),
        ('{ resolveModels(ids: ["a", "b"]) { id } }', 3),
        ("{ modelsConnection { totalCount } }", 2 + SEARCH),
        ("{ modelsConnection(first: 10) { nodes { id } totalCount } }", 13 + SEARCH),
        ("{ modelsConnection(last: 10) { edges { node { id } } } }", 22 + SEARCH),
        ("{ modelsConnection(first: 10) { edges { node { id } } nodes { id } } }", 33 + SEARCH),
        ("{ modelsConnection { nodes { id } } }", 1_101 + SEARCH),
        ("{ a: models(limit: 10) { id } b: models(limit: 10) { id } }", 22 + 2 * SEARCH),
        ("{ ... { models(limit: 10) { id } } ... on Query { model { id } } }", 13 + SEARCH),
        ("{ ...A ...A } fragment A on Query { models(limit: 10) { id } }", 22 + 2 * SEARCH),
        ("{ modelsConnection(first: 10) { ...P } } fragment P on ModelConnection { nodes { id } }", 12 + SEARCH),
        ("mutation { publish }", 1),
        ("subscription { count(target: 1000) }", 1),
    ],
)
def test_a_cost_multiplies_by_the_sizes_of_lists(query: str, cost: int) -> None:
    assert World().cost(query) == cost


@pytest.mark.parametrize(
    ("variables", "cost"), [({"n": 7}, 8), ({"n": None}, 1_100), ({}, 22), ({"n": 2_000_000_000}, 1_100)]
)
def test_a_size_may_be_a_variable(variables: dict[str, object], cost: int) -> None:
    assert World().cost("query($n: Int = 20) { models(limit: $n) { id } }", variables) == cost + SEARCH


def test_ids_in_a_variable_count_by_their_number() -> None:
    query = "query($ids: [ID!]!) { resolveModels(ids: $ids) { id } }"
    assert World().cost(query, {"ids": ["a"] * 10}) == 11


@pytest.mark.parametrize(("size", "cost"), [(0, 1), (300, 346), (1_000, 1_151), (50_000, 3_601)])
def test_a_list_without_a_size_counts_as_the_catalogue_up_to_a_thousand(size: int, cost: int) -> None:
    assert World(catalogue_size=size).cost("{ models { id } }") == cost


def test_the_plain_full_catalogue_is_allowed() -> None:
    leaves = " ".join(f"a{number}: name" for number in range(28))
    world = World(catalogue_size=50_000, limits=DocumentLimits(aliases=100))
    assert world.cost(f"{{ models {{ {leaves} pricing {{ input output }} provider {{ id }} }} }}") <= 10_000


@pytest.mark.parametrize(
    "query",
    [
        "{ models { provider { models { provider { id } } } } }",
        "{ models { ...M } } fragment M on Model { provider { models { id } } }",
        "{ providers { models { provider { models(limit: 100) { id } } } } }",
        "{ modelsConnection { nodes { provider { models { id } } } } }",
        "{ models(limit: 1000) { provider { models(limit: 0) { id } } } }",
        "{ models(limit: 40) { provider { "
        + " ".join(f"a{number}: models(limit: 0) {{ id }}" for number in range(29))
        + " } } }",
        "{ __schema { types { name } } a: __schema { types { name } } b: __schema { types { name } } }",
    ],
)
def test_what_would_cost_too_much_is_refused_with_cost_and_limit(query: str) -> None:
    refusal = World().refusal_of(query)
    assert (refusal["code"], refusal["limit"]) == ("QUERY_TOO_COMPLEX", 50_000)
    assert refusal["cost"] > 50_000


def test_the_cost_is_never_less_for_more_rows() -> None:
    world = World()
    costs = [world.cost(f"{{ models(limit: {rows}) {{ id provider {{ id }} }} }}") for rows in range(0, 2_000, 50)]
    assert costs == sorted(costs)


def test_a_known_document_is_costed_again_only_where_a_length_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def counted(*arguments: Any, **named: Any) -> Estimate:
        made.append(1)
        return estimate(*arguments, **named)

    monkeypatch.setattr("execution.prepared.estimate", counted)
    world = World()
    query = "query($n: Int, $p: String!) { models(limit: $n) { id } ask(provider: $p) }"
    costs = [world.cost(query, {"n": n, "p": p}) for n, p in [(10, "a"), (10, "b"), (20, "b"), (20, "c")]]
    assert (costs[0] == costs[1] < costs[2] == costs[3], len(made)) == (True, 2)
    world.catalogue_size = 2_000
    assert world.cost(query, {"n": 20, "p": "c"}) > costs[3]
    assert len(made) == 3


async def test_resolvers_are_told_what_the_operation_costs() -> None:
    assert await World().run("{ cost models(limit: 10) { id } }") == {
        "data": {"cost": 12 + SEARCH, "models": [{"id": f"p/{number}"} for number in range(10)]}
    }

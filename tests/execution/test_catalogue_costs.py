"""What operations on the real schema cost: never less than what they do, and no more than it takes for plain ones."""

from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any
from unittest.mock import patch

import orjson
import pytest
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
    is_composite_type,
    is_required_argument,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from catalogue.facts import Price, PriceItem, PriceTier
from catalogue.selection import select
from catalogue.snapshot import Snapshot
from execution.answer import Answer
from execution.cost import CatalogueSize
from execution.limits import DocumentLimits
from execution.prepared import Prepared
from execution.request import GraphQLRequest
from tests.execution.test_seam import executor, prepared
from tests.resolvers.asking import ADMIN, schema
from tests.resolvers.fakes import Ports
from tests.resolvers.world import facts, snapshot, state

SIZES = ("limit", "first", "last")
SEARCHED_FOR_ONE = 20
"""Models that may be looked at for a cost of 1."""
LEAVES_FOR_ONE = 10
"""Fields that may be resolved for a cost of 1."""
FEW = "endpoints"
"""The field that has a bound of its own, on the models of one request."""
ANYTHING = DocumentLimits(cost=10**9, depth=100, selections=10**6, aliases=10**6, root_fields=10**6, merges=10**9)


def object_types() -> Iterator[GraphQLObjectType | GraphQLInterfaceType]:
    for kind in schema()._schema.type_map.values():
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not kind.name.startswith("__"):
            yield kind


LARGE = [CatalogueSize(providers=20, models=50_000, largest=largest) for largest in (2_500, 49_000)]


@pytest.mark.parametrize("size", LARGE)
@pytest.mark.parametrize(
    "query",
    [
        "{ models { id name status } }",
        "{ providers { models { id } } }",
        "{ providers { id models { id name contextMax pricing { input output } } } }",
        "{ providers { id models(limit: 50) { id name } } }",
        "{ catalogue { providers { models(status: AVAILABLE) { id } } } }",
        "{ providers { ...P } } fragment P on Provider { models { id } all: models(limit: 1) { id } }",
        '{ provider(id: "alpha") { models { id capabilities } } }',
    ],
)
def test_plain_queries_are_affordable_in_a_catalogue_of_fifty_thousand(query: str, size: CatalogueSize) -> None:
    assert prepared(executor(Ports(), size), query).cost <= 10_000


@pytest.mark.parametrize(
    ("dear", "plain"),
    [
        ("{ models { description } }", "{ models { name } }"),
        ("{ providers { health { uptime } } }", "{ providers { health { status } } }"),
    ],
)
def test_what_takes_longer_to_answer_costs_more(dear: str, plain: str) -> None:
    size = CatalogueSize(providers=20, models=1_000, largest=1_000)
    costs = [prepared(executor(Ports(), size), query).cost for query in (dear, plain)]
    assert costs[0] > costs[1]


@pytest.mark.parametrize(
    "query",
    [
        "{ models { provider { models(limit: 0) { id } } } }",
        "{ models(limit: 40) { provider { models { id } } } }",
        "{ models(limit: 40) { provider { ...P } } } fragment P on Provider { models { id } }",
    ],
)
def test_the_models_of_the_providers_of_models_are_charged_each_time(query: str) -> None:
    refused = executor(Ports(), LARGE[1]).prepare(GraphQLRequest(query))
    assert isinstance(refused, Answer)
    assert orjson.loads(refused.body)["errors"][0]["extensions"]["code"] == "QUERY_TOO_COMPLEX"


@settings(max_examples=3 * settings().max_examples)
@given(seed=st.integers(min_value=0, max_value=2**32))
async def test_no_operation_does_more_than_its_cost_says(seed: int) -> None:
    """Random documents against random catalogues: the fields resolved and the models looked at are paid for."""
    chance = Random(seed)
    ports = Ports(world(chance))
    run = executor(ports, CatalogueSize.of(ports.reader), ANYTHING)
    ready = run.prepare(GraphQLRequest(document(chance, ports.reader.snapshot)))
    assert isinstance(ready, Prepared), ready.body
    assume(ready.cost < 20_000)
    looked = 0

    def counted(of: Snapshot, criteria: Any, *ranking: Any, most: int | None = None) -> Any:
        nonlocal looked
        parts = (state for state in of.providers.values() if not criteria.providers or state.id in criteria.providers)
        looked += sum(len(part.listing.models) for part in parts)
        return select(of, criteria, *ranking, most=most)

    with patch("resolvers.models.select", counted), patch("schema.provider.select", counted):
        answer = orjson.loads((await run.execute(ready, ADMIN)).body)
    assert "errors" not in answer
    assert resolved(answer["data"]) / LEAVES_FOR_ONE + looked / SEARCHED_FOR_ONE <= ready.cost


def resolved(value: Any) -> int:
    """How many fields were resolved to make a result."""
    if isinstance(value, dict):
        return sum(1 + resolved(part) for part in value.values())
    return sum(map(resolved, value)) if isinstance(value, list) else 0


def world(chance: Random) -> Snapshot:
    """Some providers, one of them larger than the others; a model stands at each of a few of them."""
    states = []
    for provider_id in chance.sample(["alpha", "beta", "gamma", "delta", "omega"], chance.randint(1, 5)):
        count = chance.choice([0, 1, 3, 10, 60])
        price = Price(
            tiers=(PriceTier(other=(PriceItem(kind="k", unit="u", amount=Decimal(1)),)),) * chance.randint(0, 2)
        )
        models = [facts(f"{provider_id}/m{n}", price=price, weights=f"f{n}", successor="m0") for n in range(count)]
        states.append(state(provider_id, models))
    return snapshot(*states)


def document(chance: Random, world: Snapshot) -> str:
    query = schema()._schema.query_type
    assert query is not None
    return selection(chance, query, world, depth=chance.randint(1, 5))


def selection(chance: Random, kind: GraphQLObjectType, world: Snapshot, depth: int) -> str:
    fields = [(name, field) for name, field in kind.fields.items() if name != FEW and (depth or not composite(field))]
    chosen = [chance.choice(fields) for _ in range(chance.randint(1, 4))] if fields else []
    parts = ["__typename"]
    for number, (name, field) in enumerate(chosen):
        inner = get_named_type(field.type)
        below = selection(chance, inner, world, depth - 1) if isinstance(inner, GraphQLObjectType) else ""
        parts.append(f"a{number}: {name}{arguments(chance, field, world)} {below}")
    return f"{{ {' '.join(parts)} }}"


def composite(field: GraphQLField) -> bool:
    return is_composite_type(get_named_type(field.type))


def arguments(chance: Random, field: GraphQLField, world: Snapshot) -> str:
    ids = [*world.providers, *(facts.id for facts in world.revision.index.rows)]
    given = {name: chance.choice([0, 1, 2, 7, 100]) for name in SIZES if name in field.args and chance.random() < 0.6}
    said = [f"{name}: {size}" for name, size in given.items()]
    required = [name for name, argument in field.args.items() if is_required_argument(argument)]
    said += [f"{name}: {orjson.dumps(chance.choice(ids)).decode()}" for name in required]
    return f"({', '.join(said)})" if said else ""

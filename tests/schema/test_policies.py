"""Each field has a policy, and the policy fits the field."""

from collections.abc import Iterator
from math import ceil

import pytest
from graphql import (
    GraphQLField,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from execution.cost import CatalogueSize
from polling.ledger import Current
from schema.policy import UNSTATED, Known, policy_of
from tests.execution.test_catalogue_costs import composite, object_types
from tests.execution.test_seam import executor, prepared
from tests.resolvers.asking import schema
from tests.resolvers.fakes import Ports
from tests.resolvers.world import ALPHA, BETA, snapshot


def fields() -> Iterator[tuple[str, GraphQLField]]:
    for kind in object_types():
        for name, field in kind.fields.items():
            yield f"{kind.name}.{name}", field


def items(kind: str) -> GraphQLObjectType:
    found = schema()._schema.type_map[kind]
    assert isinstance(found, GraphQLObjectType)
    return found


def test_every_field_has_a_policy() -> None:
    assert [name for name, field in fields() if policy_of(field) is UNSTATED] == []


def test_every_root_field_states_its_own_policy() -> None:
    for root in ("Query", "Mutation", "Subscription"):
        kept = [policy_of(field) for field in items(root).fields.values()]
        assert len({id(policy) for policy in kept}) == len(kept)


def test_every_list_of_objects_says_its_length() -> None:
    paged = {
        f"{get_named_type(field.type).name}.{name}" for _, field in fields() for name in policy_of(field).sized_fields
    }
    lists = {n: policy_of(f) for n, f in fields() if composite(f) and is_list_type(get_nullable_type(f.type))}
    assert {name for name, policy in lists.items() if policy.rows is None} == paged
    assert "ModelConnection.nodes" in paged


def test_a_page_is_only_ever_had_from_a_field_that_sizes_it() -> None:
    sized = {name: policy_of(field).sized_fields for name, field in fields()}
    pages = {get_named_type(field.type).name for name, field in fields() if sized[name]}
    assert [name for name, field in fields() if get_named_type(field.type).name in pages and not sized[name]] == []


def test_the_arguments_that_policies_name_exist() -> None:
    named = {
        name: {*policy_of(field).slicing, *policy_of(field).reads_with} - field.args.keys() for name, field in fields()
    }
    assert [name for name, missing in named.items() if missing] == []


def test_every_field_that_cuts_a_list_of_models_says_how_far_it_looks() -> None:
    assert {name: policy.searches for name, field in fields() if (policy := policy_of(field)).searches} == {
        "Query.models": Known.MODELS,
        "Query.modelsConnection": Known.MODELS,
        "Provider.models": Known.MODELS_OF_ONE,
    }
    for name, field in fields():
        if get_named_type(field.type).name in {"Model", "ModelConnection"} and {"limit", "first"} & field.args.keys():
            assert policy_of(field).searches, name


def test_a_size_is_what_the_snapshot_has() -> None:
    size = CatalogueSize.of(Current(snapshot(ALPHA, BETA)))
    assert size == CatalogueSize(providers=2, models=4, largest=3)
    assert [size.count(known) for known in Known] == [2, 4, 3]


@pytest.mark.parametrize("providers", [1, 30])
def test_providers_count_as_many_as_there_are(providers: int) -> None:
    size = CatalogueSize(providers=providers, models=100, largest=100)
    run = executor(Ports(), size)
    query = "{ providerHealth { uptime } catalogue { providers { incidents(first: 1) { id } } } }"
    assert prepared(run, query).cost == ceil(1 + providers * 2 + providers * 2.1)

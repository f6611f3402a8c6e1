"""The SDL states the fixed part of each field's policy in the published cost directives."""

from typing import Any

import pytest
from graphql import build_schema, introspection_from_schema
from graphql.language import DirectiveNode, print_ast

from tests.generate import sdl
from tests.resolvers.asking import schema

OPTIONAL = "requireOneSlicingArgument: false"


def stated(place: str) -> list[str]:
    kind, _, name = place.partition(".")
    node = build_schema(sdl()).type_map[kind].fields[name].ast_node  # type: ignore[attr-defined]
    directives: tuple[DirectiveNode, ...] | None = node.directives
    return [print_ast(directive) for directive in directives or ()]


@pytest.mark.parametrize(
    ("place", "directives"),
    [
        ("Model.name", ['@cost(weight: "0.1")']),
        ("Model.capabilities", ['@cost(weight: "0.5")']),
        ("Model.description", ['@cost(weight: "1")']),
        ("Model.pricing", []),
        ("Query.providers", []),
        ("Query.models", [f'@listSize(slicingArguments: ["limit"], {OPTIONAL})']),
        (
            "Query.modelsConnection",
            [f'@listSize(slicingArguments: ["first", "last"], sizedFields: ["edges", "nodes"], {OPTIONAL})'],
        ),
        ("ModelConnection.nodes", []),
        ("Pricing.tiers", [f"@listSize(assumedSize: 2, {OPTIONAL})"]),
    ],
)
def test_the_sdl_states_the_fixed_part_of_a_policy(place: str, directives: list[str]) -> None:
    assert stated(place) == directives


def test_introspection_shows_no_cost_directives() -> None:
    shown: Any = introspection_from_schema(schema()._schema)
    assert {"cost", "listSize"}.isdisjoint(directive["name"] for directive in shown["__schema"]["directives"])

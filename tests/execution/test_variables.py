"""Variables: whatever JSON is sent for an argument, the answer is data or an error of the caller's, never a crash."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    OperationType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from execution.answer import Answer
from execution.request import GraphQLRequest
from tests.execution.test_seam import executor
from tests.resolvers.asking import ADMIN, schema
from tests.resolvers.fakes import Ports

TEXTS = st.sampled_from(
    ["", "\x00", "é", "alpha", "alpha/lab/opus", "YWJjLjQy", "0001-01-01T00:00+23:59", "9999-12-31T23:59-23:59", "IN"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([1e308, -1.0, 2.0**31])
    | TEXTS
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner), max_leaves=5
)
DEEP: Any = orjson.loads("[" * 900 + "]" * 900)


def resembling(kind: GraphQLInputType) -> st.SearchStrategy[Any]:
    """Values that are right or nearly right for an input type."""
    match kind:
        case GraphQLNonNull():
            return resembling(kind.of_type)
        case GraphQLList():
            return st.lists(resembling(kind.of_type), max_size=3)
        case GraphQLEnumType():
            return st.sampled_from(list(kind.values)) | SCALARS
        case GraphQLInputObjectType():
            fields = {name: resembling(field.type) for name, field in kind.fields.items()}
            return st.fixed_dictionaries({}, optional=fields)
        case _:
            return SCALARS


def fields_with_arguments() -> Iterator[tuple[OperationType, tuple[str, ...], GraphQLField]]:
    """Every field that takes arguments, by the shortest way to it through fields that need none."""
    waiting: list[tuple[OperationType, tuple[str, ...], GraphQLObjectType]] = [
        (kind, (), root) for kind in OperationType if (root := schema()._schema.get_root_type(kind))
    ]
    seen: set[tuple[str, str]] = set()
    entered: set[str] = set()
    for operation, way, holder in waiting:
        for name, field in holder.fields.items():
            if field.args and (holder.name, name) not in seen:
                yield operation, (*way, name), field
            seen.add((holder.name, name))
            held = get_named_type(field.type)
            needs = any(is_required_argument(argument) for argument in field.args.values())
            if isinstance(held, GraphQLObjectType) and held.name not in entered and not needs:
                entered.add(held.name)
                waiting.append((operation, (*way, name), held))


FIELDS = {".".join(way): (operation, way, field) for operation, way, field in fields_with_arguments()}


def document(operation: OperationType, way: tuple[str, ...], field: GraphQLField) -> str:
    """The operation that asks for a field, with a variable for each of its arguments."""
    declared = ", ".join(f"${name}: {argument.type}" for name, argument in field.args.items())
    given_to = ", ".join(f"{name}: ${name}" for name in field.args)
    selected = "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
    inner = f"{way[-1]}({given_to}){selected}"
    for name in reversed(way[:-1]):
        inner = f"{name} {{ {inner} }}"
    return f"{operation.value}({declared}) {{ {inner} }}"


async def crashes(text: str, variables: dict[str, object]) -> list[Exception]:
    """The unexpected errors of an operation on a document that is valid."""
    reported = list[Exception]()
    run = executor(Ports(), report=lambda error, _: reported.append(error))
    prepared = run.prepare(GraphQLRequest(query=text, variables=variables))
    assert not isinstance(prepared, Answer) or b"GRAPHQL_VALIDATION_FAILED" not in prepared.body
    if not isinstance(prepared, Answer):
        if prepared.kind is OperationType.SUBSCRIPTION:
            [_ async for _ in run.subscribe(prepared, ADMIN)]
        else:
            await run.execute(prepared, ADMIN)
    return reported


def test_every_part_of_the_schema_is_asked() -> None:
    assert {
        "models",
        "catalogueChanged",
        "refreshCatalogue",
        "providerHealth.history",
        "models.pricing.tiers.input",
    } <= FIELDS.keys()


@pytest.mark.parametrize("name", FIELDS)
@given(data=st.data())
@settings(max_examples=30)
async def test_no_value_of_any_variable_is_an_unexpected_error(name: str, data: st.DataObject) -> None:
    operation, way, field = FIELDS[name]
    odd = data.draw(st.sampled_from(list(field.args)))
    variables = {name: data.draw(resembling(a.type)) for name, a in field.args.items() if is_required_argument(a)}
    variables[odd] = data.draw(resembling(field.args[odd].type) | JSON | st.just(DEEP))
    assert await crashes(document(operation, way, field), variables) == []


@pytest.mark.parametrize("value", [1, 1.5, 1e308, True, [], {}])
async def test_what_is_no_string_is_refused_as_a_cursor(value: object) -> None:
    text = "subscription($since: Cursor) { catalogueChanged(since: $since) { kind } }"
    prepared = executor(Ports()).prepare(GraphQLRequest(query=text, variables={"since": value}))
    assert isinstance(prepared, Answer)
    assert b'"code":"BAD_USER_INPUT"' in prepared.body

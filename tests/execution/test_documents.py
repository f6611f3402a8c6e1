"""Documents: read once, refused where they are too large, and never slow to refuse."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from graphql import get_introspection_query, get_variable_values
from graphql.execution import executor

from execution import prepared
from execution.answer import Answer
from execution.cooperative import ROWS_AT_ONCE
from execution.document import Documents
from execution.limits import DocumentLimits
from execution.request import GraphQLRequest
from tests.effort import TRIES, effort
from tests.small.schema import small_schema
from tests.small.world import World
from tests.turns import turns_beside


def spreads(depth: int) -> str:
    """Spread each fragment twice in the one above it: written out, they double with each level."""
    chain = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(depth))
    return f"{{ ...F0 }} {chain} fragment F{depth} on Query {{ __typename }}"


def spreads_in_fields(depth: int) -> str:
    """Spread each fragment in two equal fields of the one above it."""
    body = "{{ replacement {{ ...F{0} }} replacement {{ ...F{0} }} }}"
    chain = " ".join(f"fragment F{n} on Model {body.format(n + 1)}" for n in range(depth))
    return f"{{ model {{ ...F0 }} }} {chain} fragment F{depth} on Model {{ id }}"


def spreads_in_aliases(depth: int) -> str:
    """Spread each fragment in two aliased fields of the one above it: nothing merges."""
    body = "{{ a: replacement {{ ...F{0} }} b: replacement {{ ...F{0} }} }}"
    chain = " ".join(f"fragment F{n} on Model {body.format(n + 1)}" for n in range(depth))
    return f"{{ model {{ ...F0 }} }} {chain} fragment F{depth} on Model {{ id }}"


def unused_spreads(depth: int) -> str:
    return "{ __typename }" + spreads_in_fields(depth).split("} }", 1)[1]


def chain(depth: int) -> str:
    links = " ".join(f"fragment F{n} on Model {{ id name ...F{n + 1} }}" for n in range(depth))
    return f"{{ model {{ ...F0 }} }} {links} fragment F{depth} on Model {{ id }}"


def equal_fields(count: int) -> str:
    return "{ model { " + "replacement { id } " * count + "} }"


def equal_trees(depth: int) -> str:
    tree = "id"
    for _ in range(depth):
        tree = f"replacement {{ {tree} }} " * 2
    return f"{{ model {{ {tree} }} }}"


SHAPES = [spreads, spreads_in_fields, spreads_in_aliases, unused_spreads, chain, equal_fields, equal_trees]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [4, 5, 6, 8, 10, 15, 18, 20, 40, 60, 100, 200, 1_000])
def test_a_nest_of_any_shape_and_size_is_decided_upon_at_once(shape: Callable[[int], str], size: int) -> None:
    text = shape(min(size, 10) if shape is equal_trees else size)[: 256 * 1024]
    executor = World().executor
    executor.prepare(GraphQLRequest("{ model { id } }"))
    requests = (GraphQLRequest(f"{text} # {attempt}") for attempt in itertools.count())
    assert effort(lambda: executor.prepare(next(requests))) < 50


@pytest.mark.parametrize(
    "text",
    [
        "{" * 100_000,
        "{model" * 40_000,
        "{ __typename }" + "#\n" * 120_000,
        "{ __typename }" + "," * 250_000,
        "query(" + "$a: Int " * 30_000 + ") { __typename }",
        "{ " + "a " * 125_000 + "}",
        "{ models(limit: " + "9" * 250_000 + ") { id } }",
        '{ ask(provider: """' + "\\n" * 120_000 + '""") }',
        "{ resolveModels(ids: [" + '"a",' * 60_000 + "]) { id } }",
        "{ resolveModels(ids: " + "[" * 100_000 + ") { id } }",
        "".join(f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(6_000)),
    ],
    ids=lambda text: text[:24],
)
def test_a_body_full_of_anything_is_refused_without_holding_others_up(text: str) -> None:
    executors = iter([World().executor for _ in range(TRIES)])
    assert effort(lambda: next(executors).prepare(GraphQLRequest(text[: 256 * 1024]))) < 250


def _selections(count: int) -> str:
    """Write a document of so many selections: a fragment of 49 fields spread 98 times, and single fields."""
    fields = " ".join(f"f{n}" for n in range(49))
    singles = " ".join(f"g{n}" for n in range(count - 1 - 98 * 50 - 49))
    return f"{{ model {{ {'...A ' * 98} {singles} }} }} fragment A on Model {{ {fields} }}"


def _pairs(pairs: int) -> str:
    """Write a document with so many pairs of equal fields: 100 equal ones make 4,950, two more equal ones one each."""
    singles = " ".join(f"f{n} f{n}" for n in range(pairs - 4_950))
    return "{ model { " + "id " * 100 + singles + " } }"


LIMITS = DocumentLimits()


@pytest.mark.parametrize(
    ("measure", "limit", "document"),
    [
        ("aliases", LIMITS.aliases, lambda count: "{ " + " ".join(f"a{n}: __typename" for n in range(count)) + " }"),
        ("directives", LIMITS.directives, lambda count: "{ __typename " + "@include(if: true) " * count + "}"),
        ("root fields", LIMITS.root_fields, lambda count: "{ " + "__typename " * count + "}"),
        (
            "depth",
            LIMITS.depth,
            lambda depth: "{ model" + " { replacement" * (depth - 2) + " { id }" + "}" * (depth - 1),
        ),
        ("selections", LIMITS.selections, _selections),
        ("merged fields", LIMITS.merges, _pairs),
    ],
)
def test_a_limit_lets_pass_what_it_says_and_no_more(measure: str, limit: int, document: Callable[[int], str]) -> None:
    world = World()
    at_limit = world.executor.prepare(GraphQLRequest(document(limit)))
    assert not isinstance(at_limit, Answer) or measure not in str(at_limit.body)
    refusal = world.refusal_of(document(limit + 1))
    assert (refusal["code"], refusal["measure"], refusal["limit"]) == ("QUERY_TOO_COMPLEX", measure, limit)
    assert refusal["cost"] > limit


def test_tokens_are_counted_while_they_are_read() -> None:
    world = World()
    assert not isinstance(world.executor.prepare(GraphQLRequest("{ model { " + "id " * 90 + "} }")), Answer)
    assert "2000 tokens" in world.refusal_of("{ model { " + "id " * 2_000 + "} }")["message"]


@pytest.mark.parametrize(
    "text",
    [
        "{ ...A } fragment A on Query { ...A }",
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        "{ __typename } fragment A on Query { model { ...B } } fragment B on Model { replacement { ...B } }",
    ],
)
def test_a_fragment_that_spreads_itself_is_refused(text: str) -> None:
    refusal = World().refusal_of(text)
    assert refusal["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert "within itself" in refusal["message"]


@pytest.mark.parametrize("text", ["{ ...A }", "{ ...A } fragment A on Nope { id }", "type A { id: ID }", "{ model }"])
def test_what_does_not_fit_the_schema_is_refused(text: str) -> None:
    assert World().refusal_of(text)["code"] in {"GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"}


async def test_no_more_than_five_faults_of_a_document_are_told() -> None:
    result = await World().run("{" + " ".join(f"f{number}" for number in range(9)) + "}")
    assert [error["message"] for error in result["errors"]] == [
        f"Cannot query field 'f{number}' on type 'Query'." for number in range(5)
    ]


async def test_no_more_than_five_faults_of_variables_are_told() -> None:
    declared = " ".join(f"$n{number}: Int!" for number in range(9))
    used = " ".join(f"n{number}: models(limit: $n{number}) {{ id }}" for number in range(9))
    given = {f"n{number}": "x" for number in range(9)}
    result = await World().run(f"query({declared}) {{ {used} }}", given)
    assert [error["locations"][0]["line"] for error in result["errors"]] == [1] * 5


@pytest.mark.parametrize("number", ["9" * 101, "9" * 5_000, "-" + "9" * 5_000, "1." + "9" * 5_000, "1e" + "9" * 5_000])
@pytest.mark.parametrize(
    "text", ["{{ models(limit: {}) {{ id }} }}", "query($n: Int = {}) {{ models(limit: $n) {{ id }} }}"]
)
def test_a_number_too_long_to_be_read_is_refused_in_plain_words(text: str, number: str) -> None:
    refusal = World().refusal_of(text.format(number))
    assert refusal["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert refusal["message"] == "A number has more than 100 digits."


def test_the_standard_introspection_query_fits() -> None:
    limit = DocumentLimits().cost
    assert World().cost(get_introspection_query(input_value_deprecation=True)) <= limit


async def test_introspection_can_be_switched_off() -> None:
    world = World(limits=DocumentLimits(introspection=False))
    assert "introspection" in str(await world.run("{ __schema { queryType { name } } }"))
    assert await world.run("{ __typename }") == {"data": {"__typename": "Query"}}


def test_a_text_is_read_once() -> None:
    documents = _documents()
    assert documents.read("{ model { id } }") is documents.read("{ model { id } }")


def _documents(limits: DocumentLimits | None = None) -> Documents:
    return Documents(small_schema()._schema, limits or DocumentLimits())


def _text(number: int, length: int = 0) -> str:
    return f"{{ __typename }} # {number}".ljust(length)


def test_the_document_used_longest_ago_is_forgotten_first() -> None:
    documents = _documents(DocumentLimits(cached_documents=4, cached_characters=4_000))
    for number in (0, 1, 2, 3, 0, 4):
        documents.read(_text(number))
    assert [documents.knows(_text(number)) for number in range(5)] == [True, False, True, True, True]


def test_the_text_of_all_kept_documents_is_bounded() -> None:
    documents = _documents(DocumentLimits(cached_documents=100, cached_characters=4_000))
    for number in range(5):
        documents.read(_text(number, 1_000))
    assert [documents.knows(_text(number, 1_000)) for number in range(5)] == [False, True, True, True, True]


def test_long_comments_drive_out_no_document() -> None:
    documents = _documents()
    first = documents.read("{ model { id } }")
    for number in range(5):
        documents.read(f"{{ __typename }} #{number}" + "x" * 100_000)
    assert documents.read("{ model { id } }") is first


async def test_the_variables_of_an_operation_are_coerced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    coerced = []

    def count(definitions: Any, *arguments: Any, **named: Any) -> Any:
        coerced.append(definitions)
        return get_variable_values(definitions, *arguments, **named)

    for module in (prepared, executor):
        monkeypatch.setattr(module, "get_variable_values", count)
    result = await World().run("query($n: Int!) { models(limit: $n) { id } }", {"n": 2})
    assert len(result["data"]["models"]) == 2
    assert len(coerced) == 1


async def test_others_run_while_a_long_list_is_completed() -> None:
    world = World()
    with turns_beside() as turns:
        result = await world.run("{ models(limit: 960) { id name pricing { input } } }")
    assert [row["id"] for row in result["data"]["models"]] == [f"p/{number}" for number in range(960)]
    assert turns.taken >= 960 // ROWS_AT_ONCE - 1


async def test_others_run_while_many_short_lists_are_completed() -> None:
    world = World()
    with turns_beside() as turns:
        result = await world.run("{ models(limit: 30) { provider { models(limit: 30) { id } } } }")
    assert [len(row["provider"]["models"]) for row in result["data"]["models"]] == [30] * 30
    assert turns.taken >= 30


async def test_others_run_between_searches_that_return_nothing() -> None:
    world = World()
    with turns_beside() as turns:
        result = await world.run("{" + " ".join(f"a{number}: models(limit: 0) {{ id }}" for number in range(20)) + "}")
    assert result["data"] == {f"a{number}": [] for number in range(20)}
    assert turns.taken >= 20


async def test_others_run_after_each_row_that_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock here goes on by a second whenever it is read."""
    monkeypatch.setattr("execution.cooperative.perf_counter", itertools.count().__next__)
    world = World()
    with turns_beside() as turns:
        result = await world.run("{ models(limit: 200) { id } }")
    assert len(result["data"]["models"]) == 200
    assert turns.taken >= 200

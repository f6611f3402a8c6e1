"""What of an error a client sees."""

import pytest

from execution.limits import DocumentLimits
from tests.small.over_http import HttpWorld


@pytest.mark.parametrize("field", ["boom", "bang"])
async def test_an_unexpected_error_is_masked_and_its_id_is_in_the_log(field: str) -> None:
    world = HttpWorld()
    response = await world.post(f"{{ {field} }}")
    (error,) = response.json()["errors"]
    ((reported, error_id),) = world.reported
    assert str(reported) == "sk-secret in /srv/catalogue"
    assert error["extensions"] == {"code": "INTERNAL", "id": error_id}
    assert error_id in error["message"]
    assert error["path"] == [field]
    assert error["locations"] == [{"line": 1, "column": 3}]
    assert "secret" not in response.text
    assert "srv" not in response.text


async def test_an_expected_error_keeps_its_words_and_its_code() -> None:
    world = HttpWorld()
    (error,) = (await world.run('{ ask(provider: "x") }'))["errors"]
    assert error["message"] == "Unknown provider 'x'. Known providers: openrouter, requesty."
    assert error["extensions"] == {"code": "UNKNOWN_PROVIDER", "known": ["openrouter", "requesty"]}
    assert world.reported == []


async def test_a_null_for_an_argument_that_takes_none_is_the_callers_fault() -> None:
    world = HttpWorld()
    query = "query($n: Int) { changes(first: $n) { id } }"
    (error,) = (await world.run(query, {"n": None}))["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert world.reported == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nope }", "GRAPHQL_VALIDATION_FAILED"),
        ("query($n: Int!) { changes(first: $n) { id } }", "BAD_USER_INPUT"),
        ("query A { __typename } query B { __typename }", "BAD_USER_INPUT"),
        ("fragment A on Query { __typename }", "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_what_is_wrong_with_a_document_has_a_code(query: str, code: str) -> None:
    assert HttpWorld().refusal_of(query)["code"] == code


async def test_at_most_five_errors_of_validation_are_told() -> None:
    errors = (await HttpWorld().run("{ a b c d e f g h i j }"))["errors"]
    assert len(errors) == 5


@pytest.mark.parametrize(
    ("query", "variables"),
    [("{ modell { id } }", None), ("query($n: Int!) { changes(fist: $n) { id } }", {"n": 1})],
)
async def test_names_of_the_schema_are_suggested_only_where_that_is_switched_on(
    query: str, variables: dict[str, object] | None
) -> None:
    assert "Did you mean" not in str(await HttpWorld().run(query, variables))
    assert "Did you mean" in str(await HttpWorld(limits=DocumentLimits(suggestions=True)).run(query, variables))


async def test_a_long_message_is_cut() -> None:
    assert len(HttpWorld().refusal_of("{ " + "x" * 10_000 + " }")["message"]) == 500


async def test_a_failure_before_the_operation_is_masked_too() -> None:
    world = HttpWorld(refusal=RuntimeError("sk-secret in /srv/catalogue"))
    response = await world.post("{ __typename }")
    ((_, error_id),) = world.reported
    assert response.status_code == 500
    assert response.json()["errors"][0]["extensions"] == {"code": "INTERNAL", "id": error_id}
    assert "secret" not in response.text

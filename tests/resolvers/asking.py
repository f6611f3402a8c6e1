"""Asking the schema as a caller would."""

from functools import cache
from typing import Any

import strawberry
from pydantic import SecretStr
from strawberry.types import ExecutionResult

from catalogue.scope import Grant, Scope
from resolvers.context import Context
from resolvers.schema import build_schema
from tests.resolvers.fakes import Ports

ADMIN = Scope(client="token:ann", actor="ann", grants=frozenset({Grant.ADMIN}))


@cache
def schema() -> strawberry.Schema:
    return build_schema()


def keyed(**keys: str) -> Scope:
    return Scope(keys={provider: SecretStr(key) for provider, key in keys.items()})


def context(ports: Ports | None = None, scope: Scope | None = None) -> Context:
    return Context(scope or Scope(), (ports or Ports()).services)


async def run(query: str, within: Context | None = None, **variables: Any) -> ExecutionResult:
    return await schema().execute(query, variable_values=variables, context_value=within or context())


async def ask(query: str, within: Context | None = None, **variables: Any) -> Any:
    """The data of an answer that has no errors."""
    result = await run(query, within, **variables)
    assert result.errors is None, result.errors
    return result.data


async def refusal(query: str, within: Context | None = None, **variables: Any) -> tuple[Any, str]:
    """The code and message of an answer's one error."""
    result = await run(query, within, **variables)
    assert result.errors is not None
    [error] = result.errors
    return (error.extensions or {}).get("code"), error.message


async def ids(arguments: str, within: Context | None = None) -> list[str]:
    """The ids of the models that some arguments choose."""
    return [model["id"] for model in (await ask(f"{{ models{arguments} {{ id }} }}", within))["models"]]

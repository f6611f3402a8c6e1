"""The schema behind the seam that every transport uses."""

from typing import Any

import orjson
import pytest
from graphql import GraphQLObjectType, OperationType, get_named_type

from catalogue.change import DetailsChanged
from catalogue.scope import Scope
from execution.answer import Answer
from execution.cost import CatalogueSize
from execution.errors import ErrorReporter
from execution.executor import Executor
from execution.limits import DocumentLimits
from execution.prepared import Prepared
from execution.request import GraphQLRequest
from resolvers.changes import event_id
from resolvers.context import Context
from tests.resolvers.asking import ADMIN, keyed, schema
from tests.resolvers.fakes import Ports
from tests.resolvers.world import ALPHA, MINI, NOW, position

SMALL = CatalogueSize(providers=2, models=4, largest=3)
LARGE = CatalogueSize(providers=20, models=50_000, largest=9_000)


def executor(
    ports: Ports,
    size: CatalogueSize = SMALL,
    limits: DocumentLimits | None = None,
    report: ErrorReporter = lambda *_: None,
) -> Executor[Scope]:
    return Executor(
        schema(),
        limits=limits or DocumentLimits(),
        context=lambda scope: Context(scope, ports.services),
        catalogue_size=lambda: size,
        report=report,
        event_id=event_id,
    )


def prepared(run: Executor[Scope], query: str) -> Prepared:
    ready = run.prepare(GraphQLRequest(query=query))
    assert not isinstance(ready, Answer), ready.body
    return ready


@pytest.mark.parametrize(
    ("query", "scope", "private"),
    [
        ("{ models { id } }", Scope(), False),
        ("{ models { id } }", ADMIN, False),
        ("{ models { id } }", keyed(alpha="k"), True),
        ("{ clientLimit { cost } }", Scope(), True),
        ("{ auditLog { nodes { at } } }", ADMIN, True),
        ("{ auditLog { nodes { at } } }", Scope(), True),
        ("mutation { refreshCatalogue { revision } }", ADMIN, True),
        ('mutation { checkProviderKey(provider: "alpha") { outcome } }', keyed(alpha="k"), True),
        ('mutation { checkProviderKey(provider: "alpha") { outcome } }', Scope(), True),
    ],
)
async def test_an_answer_that_holds_something_of_its_caller_is_private(
    query: str,
    scope: Scope,
    private: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    run = executor(Ports())
    assert (await run.execute(prepared(run, query), scope)).private is private


async def test_a_caller_is_told_what_the_operation_costs() -> None:
    run = executor(Ports())
    ready = prepared(run, "{ clientLimit { cost } models { id } }")
    data: Any = orjson.loads((await run.execute(ready, Scope())).body)["data"]
    assert data["clientLimit"]["cost"] == ready.cost > 0


def own_fields(type_name: str) -> str:
    """A selection of all that a type holds itself, and of what those fields hold, without other models."""
    elsewhere = {"provider", "replacement", "offers", "endpoints"}
    kind = schema()._schema.type_map[type_name]
    if not isinstance(kind, GraphQLObjectType):
        return ""
    fields = {name: get_named_type(field.type).name for name, field in kind.fields.items() if name not in elsewhere}
    return f"{{ {' '.join(f'{name} {own_fields(held)}' for name, held in fields.items())} }}"


def test_all_own_fields_of_all_models_are_affordable_in_one_operation() -> None:
    query = f"{{ models {own_fields('Model')} }}"
    assert "tiers" in query
    assert prepared(executor(Ports(), LARGE), query).cost < 25_000


@pytest.mark.parametrize(("field", "rounds"), [("description", 5), ("unknownCapabilities", 8)])
def test_long_values_of_all_models_many_times_over_are_refused(field: str, rounds: int) -> None:
    texts = " ".join(f"d{number}: {field}" for number in range(15))
    query = "{" + " ".join(f"a{number}: models {{ {texts} }}" for number in range(rounds)) + "}"
    many = DocumentLimits(aliases=100)
    refused = executor(Ports(), CatalogueSize(providers=20, models=1_000, largest=900), limits=many).prepare(
        GraphQLRequest(query=query)
    )
    assert isinstance(refused, Answer)
    assert orjson.loads(refused.body)["errors"][0]["extensions"]["code"] == "QUERY_TOO_COMPLEX"


async def test_events_carry_their_cursor_and_are_public_also_for_callers_with_keys() -> None:
    ports = Ports()
    ports.feed.changes = [
        DetailsChanged(
            position=position(5),
            at=NOW,
            provider_id="alpha",
            model=ALPHA.view(MINI, fallback=NOW),
            fields=("name",),
        )
    ]
    run = executor(ports)
    subscription = prepared(run, "subscription { catalogueChanged { provider { models { id } } } }")
    [answer] = [event async for event in run.subscribe(subscription, keyed(alpha="k"))]
    assert answer.event_id == position(5).cursor
    assert not answer.private
    assert ports.own_lists.asked == 0


def test_a_mutation_where_none_may_run_is_told_to_go_by_post() -> None:
    refused = executor(Ports()).prepare(
        GraphQLRequest(query="mutation { refreshCatalogue { revision } }"), allow=frozenset({OperationType.QUERY})
    )
    assert isinstance(refused, Answer)
    assert orjson.loads(refused.body)["errors"][0]["message"] == "A mutation cannot run here; send it by POST."


async def test_what_one_field_meets_in_every_row_is_reported_once_and_has_one_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reported: list[str] = []
    run = executor(Ports(), report=lambda _, error_id: reported.append(error_id))
    monkeypatch.setattr("catalogue.history.uptime", lambda _: 1 / 0)
    query = "{ models { provider { health { uptime again: uptime } } } }"
    errors = orjson.loads((await run.execute(prepared(run, query), Scope())).body)["errors"]
    assert len(errors) == 2 * SMALL.models
    assert len(reported) == 2
    assert {error["extensions"]["id"] for error in errors} == set(reported)

"""Following changes and refreshes."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from decimal import Decimal
from typing import Any, cast

import pytest

from catalogue.change import (
    Change,
    DetailsChanged,
    ExpiryAnnounced,
    ModelAdded,
    ModelRemoved,
    PriceChanged,
    ProviderHealthChanged,
    Resync,
    StatusChanged,
)
from catalogue.diff import DETAILS
from catalogue.facts import Price
from catalogue.refresh import ProviderRefresh, RefreshProgress
from catalogue.scope import Scope
from catalogue.vocabulary import HealthStatus, ModelStatus, RefreshOutcome, RefreshStep, StatusCause
from resolvers.changes import event_id
from resolvers.context import Context
from tests.resolvers.asking import ask, context, schema
from tests.resolvers.fakes import Ports
from tests.resolvers.world import ALPHA, BETA, MINI, NOW, OTHER_OPUS, position

A_MINI, B_OPUS = ALPHA.view(MINI, fallback=NOW), BETA.view(OTHER_OPUS, fallback=NOW)
CHANGES: list[Change] = [
    ModelAdded(position=position(1), at=NOW, provider_id="alpha", model=A_MINI),
    StatusChanged(
        position=position(2),
        at=NOW,
        provider_id="beta",
        model=B_OPUS,
        before=ModelStatus.AVAILABLE,
        after=ModelStatus.LIMITED,
        cause=StatusCause.AGE,
    ),
    PriceChanged(
        position=position(3),
        at=NOW,
        provider_id="alpha",
        model=A_MINI,
        before=None,
        after=Price(input=Decimal("0.000001")),
    ),
    DetailsChanged(position=position(4), at=NOW, provider_id="alpha", model=A_MINI, fields=("name",)),
    ProviderHealthChanged(
        position=position(5),
        at=NOW,
        provider_id="alpha",
        health=ALPHA.health,
        model_count=9,
        before=HealthStatus.DOWN,
        after=HealthStatus.HEALTHY,
    ),
    ExpiryAnnounced(position=position(6), at=NOW, provider_id="alpha", model=A_MINI, expires_at=NOW),
    Resync(position=position(7), at=NOW, reason="The log was trimmed."),
    ModelRemoved(position=position(8), at=NOW, provider_id="beta", model=B_OPUS),
]


async def follow(document: str, within: Context) -> list[Any]:
    """Every answer of a subscription: its data, or its errors."""
    answers = await schema().subscribe(f"subscription {{ {document} }}", context_value=within)
    assert hasattr(answers, "__aiter__"), answers
    return [answer.errors or answer.data async for answer in cast("AsyncIterator[Any]", answers)]


async def kinds(field: str) -> list[str]:
    ports = Ports()
    ports.feed.changes = CHANGES
    return [next(iter(a.values()))["kind"] for a in await follow(f"{field} {{ kind }}", context(ports))]


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("availabilityChanged", ["MODEL_ADDED", "STATUS_CHANGED", "RESYNC", "MODEL_REMOVED"]),
        ('availabilityChanged(provider: "beta")', ["STATUS_CHANGED", "RESYNC", "MODEL_REMOVED"]),
        ('availabilityChanged(model: "alpha/lab/mini")', ["MODEL_ADDED", "RESYNC"]),
        ("providerHealthChanged", ["PROVIDER_HEALTH_CHANGED", "RESYNC"]),
        ('providerHealthChanged(provider: ["beta"])', ["RESYNC"]),
        ("catalogueChanged(kinds: [PRICE_CHANGED, DETAILS_CHANGED])", ["PRICE_CHANGED", "DETAILS_CHANGED", "RESYNC"]),
        ('catalogueChanged(kinds: [], provider: "beta")', ["STATUS_CHANGED", "RESYNC", "MODEL_REMOVED"]),
    ],
)
async def test_a_subscription_delivers_what_it_asks_for_and_always_a_resync(field: str, found: list[str]) -> None:
    assert await kinds(field) == found


async def test_every_kind_of_change_shows_its_own_fields() -> None:
    ports = Ports()
    ports.feed.changes = CHANGES
    answers = await follow(
        """catalogueChanged { __typename cursor provider { id }
        ... on ModelAdded { model { id provider { id } status } } ... on ModelRemoved { model { id } }
        ... on StatusChanged { beforeStatus: before afterStatus: after cause }
        ... on PriceChanged { beforePrice: before { input } afterPrice: after { input(per: MILLION) currency } }
        ... on DetailsChanged { fields } ... on ExpiryAnnounced { expiresAt }
        ... on ProviderHealthChanged { health { status modelCount provider { id } } before after }
        ... on Resync { reason oldest } }""",
        context(ports),
    )
    alpha, beta = {"id": "alpha"}, {"id": "beta"}
    assert [a["catalogueChanged"] | {"cursor": ""} for a in answers] == [
        {
            "__typename": "ModelAdded",
            "cursor": "",
            "provider": alpha,
            "model": {"id": "alpha/lab/mini", "provider": alpha, "status": "AVAILABLE"},
        },
        {
            "__typename": "StatusChanged",
            "cursor": "",
            "provider": beta,
            "beforeStatus": "AVAILABLE",
            "afterStatus": "LIMITED",
            "cause": "AGE",
        },
        {
            "__typename": "PriceChanged",
            "cursor": "",
            "provider": alpha,
            "beforePrice": None,
            "afterPrice": {"input": 1.0, "currency": "USD"},
        },
        {"__typename": "DetailsChanged", "cursor": "", "provider": alpha, "fields": ["name"]},
        {
            "__typename": "ProviderHealthChanged",
            "cursor": "",
            "provider": alpha,
            "health": {"status": "HEALTHY", "modelCount": 9, "provider": alpha},
            "before": "DOWN",
            "after": "HEALTHY",
        },
        {"__typename": "ExpiryAnnounced", "cursor": "", "provider": alpha, "expiresAt": NOW.isoformat()},
        {
            "__typename": "Resync",
            "cursor": "",
            "provider": None,
            "reason": "The log was trimmed.",
            "oldest": position(1).cursor,
        },
        {"__typename": "ModelRemoved", "cursor": "", "provider": beta, "model": {"id": "beta/opus"}},
    ]
    assert [a["catalogueChanged"]["cursor"] for a in answers] == [position(n).cursor for n in range(1, 9)]


async def test_changed_details_are_told_by_the_names_of_the_models_fields() -> None:
    ports = Ports()
    ports.feed.changes = [
        DetailsChanged(position=position(1), at=NOW, provider_id="alpha", model=A_MINI, fields=DETAILS)
    ]
    [answer] = await follow("catalogueChanged { ... on DetailsChanged { fields } }", context(ports))
    named = answer["catalogueChanged"]["fields"]
    shown = {
        field["name"] for field in (await ask('{ __type(name: "Model") { fields { name } } }'))["__type"]["fields"]
    }
    assert set(named) <= shown
    assert {"contextMax", "unknownCapabilities", "rateLimit"} <= set(named)


async def test_a_change_of_a_provider_that_is_configured_no_more_still_names_it() -> None:
    ports = Ports()
    ports.feed.changes = [ModelRemoved(position=position(1), at=NOW, provider_id="past", model=B_OPUS)]
    [answer] = await follow(
        "catalogueChanged { provider { id name configured modelCount models { id } } }", context(ports)
    )
    assert answer["catalogueChanged"]["provider"] == {
        "id": "past",
        "name": "past",
        "configured": False,
        "modelCount": 0,
        "models": [],
    }


async def test_a_subscriber_begins_after_its_cursor() -> None:
    ports = Ports()
    since = position(3).cursor
    await follow(f'catalogueChanged(since: "{since}") {{ kind }}', context(ports))
    assert ports.feed.since == [since]


async def test_a_resumed_stream_goes_on_after_its_last_event_and_not_where_its_document_began() -> None:
    ports = Ports()
    since, last = position(3).cursor, position(5).cursor
    await follow(f'catalogueChanged(since: "{since}") {{ kind }}', context(ports, Scope(last_event_id=last)))
    assert ports.feed.since == [last]


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ('catalogueChanged(since: "garbled")', "BAD_USER_INPUT"),
        ('availabilityChanged(provider: "gamma")', "UNKNOWN_PROVIDER"),
    ],
)
async def test_a_wrong_argument_ends_a_subscription_before_it_begins(field: str, code: str) -> None:
    ports = Ports()
    refused = await schema().subscribe(f"subscription {{ {field} {{ kind }} }}", context_value=context(ports))
    if hasattr(refused, "__aiter__"):
        refused = await anext(cast("AsyncIterator[Any]", refused))
    [error] = cast("Any", refused).errors
    assert error.extensions["code"] == code
    assert ports.feed.since == []


async def test_a_subscriber_who_leaves_closes_the_feed_at_once() -> None:
    ports = Ports()
    ports.feed.changes = CHANGES
    answers = await schema().subscribe("subscription { catalogueChanged { kind } }", context_value=context(ports))
    async with aclosing(cast("Any", answers)) as stream:
        await anext(stream)
    assert ports.feed.left == 1


async def test_refreshes_are_followed_step_by_step() -> None:
    ports = Ports()
    done = ProviderRefresh(provider_id="alpha", outcome=RefreshOutcome.UPDATED, model_count=3)
    ports.refresher.steps = [
        RefreshProgress(provider_id="alpha", step=RefreshStep.FETCHING, received=1024),
        RefreshProgress(provider_id="alpha", step=RefreshStep.DONE, model_count=3, result=done),
    ]
    answers = await follow(
        "refreshProgress { provider { id } step received modelCount result { outcome modelCount } }", context(ports)
    )
    assert [a["refreshProgress"] for a in answers] == [
        {"provider": {"id": "alpha"}, "step": "FETCHING", "received": 1024, "modelCount": None, "result": None},
        {
            "provider": {"id": "alpha"},
            "step": "DONE",
            "received": None,
            "modelCount": 3,
            "result": {"outcome": "UPDATED", "modelCount": 3},
        },
    ]


def test_an_event_is_named_by_its_cursor_and_a_step_not_at_all() -> None:
    assert event_id(CHANGES[1]) == position(2).cursor
    assert event_id(RefreshProgress(provider_id="alpha", step=RefreshStep.WAITING)) is None

"""Providers, their health, and what is read on demand."""

from datetime import datetime, timedelta

import pytest

from catalogue.health import Problem, Quarantine
from catalogue.snapshot import snapshot_of
from catalogue.vocabulary import BreakerState, HealthStatus, ProviderErrorCode, UptimeWindow
from tests.resolvers.asking import ask, context, keyed, refusal
from tests.resolvers.fakes import Ports
from tests.resolvers.world import NOW, OPUS, facts, failing, position, snapshot, state


async def test_a_provider_says_who_it_is() -> None:
    data = await ask('{ provider(id: "alpha") { id name configured keySource modelCount website } }')
    assert data["provider"] == {
        "id": "alpha",
        "name": "Alpha",
        "configured": True,
        "keySource": "ENVIRONMENT",
        "modelCount": 3,
        "website": "https://alpha.example",
    }


async def test_a_providers_models_take_the_same_filters() -> None:
    data = await ask(
        '{ provider(id: "alpha") { models(capability: CHAT, status: AVAILABLE, limit: 1, offset: 1) { id } } }'
    )
    assert data["provider"]["models"] == [{"id": "alpha/lab/opus"}]


@pytest.mark.parametrize(
    "field", ["models(limit: -1) { id }", "models(offset: -1) { id }", "incidents(first: 1001) { id }"]
)
async def test_sizes_below_a_provider_are_bounded(field: str) -> None:
    code, _ = await refusal(f'{{ provider(id: "alpha") {{ {field} }} }}')
    assert code == "BAD_USER_INPUT"


async def test_health_tells_what_is_wrong_and_what_is_held_back() -> None:
    problem = Problem(code=ProviderErrorCode.TIMEOUT, message="No answer.", retryable=True, at=NOW)
    held = Quarantine(
        id="q1", provider_id="alpha", reason="Empty.", at=NOW, model_count=0, added=0, removed=3, repriced=0
    )
    sick = state(
        "alpha",
        [OPUS],
        health={
            "status": HealthStatus.DOWN,
            "breaker": BreakerState.OPEN,
            "consecutive_failures": 3,
            "problems": failing(problem),
            "quarantine": held,
            "dropped_rows": 2,
        },
    )
    query = """{ providerHealth(provider: "alpha") { provider { id } status breaker consecutiveFailures modelCount
      latencyMs lastChecked lastSuccessAt nextCheckAt droppedRows error { code message retryable at }
      quarantine { id reason removed sample } } }"""
    assert (await ask(query, context(Ports(snapshot(sick)))))["providerHealth"] == [
        {
            "provider": {"id": "alpha"},
            "status": "DOWN",
            "breaker": "OPEN",
            "consecutiveFailures": 3,
            "modelCount": 1,
            "latencyMs": 12.5,
            "lastChecked": NOW.isoformat(),
            "lastSuccessAt": None,
            "nextCheckAt": None,
            "droppedRows": 2,
            "error": {"code": "TIMEOUT", "message": "No answer.", "retryable": True, "at": NOW.isoformat()},
            "quarantine": {"id": "q1", "reason": "Empty.", "removed": 3, "sample": []},
        }
    ]


@pytest.mark.parametrize(("seconds", "told"), [(1, NOW + timedelta(seconds=1)), (0, None), (-5, None), (None, None)])
async def test_the_next_check_is_in_the_future_or_null(seconds: int | None, told: datetime | None) -> None:
    planned = None if seconds is None else NOW + timedelta(seconds=seconds)
    asked = snapshot(state("alpha", [OPUS], health={"next_check_at": planned}))
    data = await ask('{ providerHealth(provider: "alpha") { nextCheckAt } }', context(Ports(asked)))
    assert data["providerHealth"] == [{"nextCheckAt": told and told.isoformat()}]


async def test_health_of_an_unknown_provider_names_the_known_ones() -> None:
    code, message = await refusal('{ providerHealth(provider: "gamma") { status } }')
    assert code == "UNKNOWN_PROVIDER"
    assert "alpha, beta" in message


async def test_no_data_is_null_and_not_full_uptime() -> None:
    data = await ask("{ providers { id health { uptime history { checks failures uptime latencyMs } } } }")
    health = {p["id"]: p["health"] for p in data["providers"]}
    assert health["alpha"]["uptime"] == 0.75
    assert health["alpha"]["history"] == [{"checks": 4, "failures": 1, "uptime": 0.75, "latencyMs": 20.0}]
    assert health["beta"] == {"uptime": None, "history": []}


async def test_health_over_time_is_read_once_for_all_providers_and_fields() -> None:
    ports = Ports()
    await ask("{ providers { health { uptime history { checks } } } providerHealth { uptime } }", context(ports))
    assert ports.history.asked == [(("alpha", "beta"), UptimeWindow.DAY)]


async def test_each_window_is_read_once() -> None:
    ports = Ports()
    await ask("{ providerHealth { uptime(window: HOUR) week: uptime(window: WEEK) } }", context(ports))
    windows = [(("alpha", "beta"), UptimeWindow.HOUR), (("alpha", "beta"), UptimeWindow.WEEK)]
    assert ports.history.asked == windows


async def test_incidents_are_read_once_for_all_providers() -> None:
    ports = Ports()
    data = await ask("{ providers { incidents(first: 5) { id code message startedAt endedAt } } }", context(ports))
    assert ports.history.asked == [(("alpha", "beta"), 5)]
    assert data["providers"][0]["incidents"] == [
        {
            "id": "alpha-1",
            "code": "TIMEOUT",
            "message": "No answer within 10 s.",
            "startedAt": NOW.isoformat(),
            "endedAt": None,
        }
    ]


async def test_endpoints_are_read_together_and_only_when_asked_for() -> None:
    ports = Ports()
    await ask("{ models { id } }", context(ports))
    assert ports.endpoints.asked == []
    data = await ask(
        "{ models(limit: 2) { endpoints { state asOf items { name status uptime30m pricing { input } } } } }",
        context(ports),
    )
    assert ports.endpoints.asked == [("alpha/lab/mini", "alpha/lab/opus")]
    assert data["models"][0]["endpoints"] == {
        "state": "READY",
        "asOf": NOW.isoformat(),
        "items": [{"name": "Place", "status": "DEGRADED", "uptime30m": 0.5, "pricing": None}],
    }


@pytest.mark.parametrize(("count", "allowed"), [(20, True), (21, False)])
async def test_one_request_reads_the_endpoints_of_at_most_twenty_models(count: int, allowed: bool) -> None:  # noqa: FBT001 - a parameter of the test
    ports = Ports(snapshot(state("a", [facts(f"a/{n}") for n in range(count)])))
    if allowed:
        await ask("{ models { endpoints { state } } }", context(ports))
        assert len(ports.endpoints.asked[0]) == 20
    else:
        code, message = await refusal("{ models { endpoints { state } } }", context(ports))
        assert (code, "20" in message) == ("BAD_USER_INPUT", True)
        assert ports.endpoints.asked == []


async def test_a_callers_own_list_replaces_the_servers_in_that_answer_alone() -> None:
    ports = Ports()
    own = facts("alpha/own")
    ports.own_lists.own = {"alpha": state("alpha", [own])}
    query = '{ catalogue { userProvidedKeys cacheHit } models(provider: "alpha") { id } }'
    mine = context(ports, keyed(alpha="k"))
    data = await ask(query, mine)
    assert data == {
        "catalogue": {"userProvidedKeys": ["alpha"], "cacheHit": False},
        "models": [{"id": "alpha/own"}],
    }
    assert mine.private
    assert ports.own_lists.asked == 1
    others = context(ports)
    assert (await ask("{ catalogue { userProvidedKeys cacheHit } }", others))["catalogue"] == {
        "userProvidedKeys": [],
        "cacheHit": True,
    }
    assert not others.private


async def test_an_answer_to_a_caller_whose_key_failed_is_private_too() -> None:
    within = context(Ports(), keyed(alpha="bad"))
    data = await ask("{ catalogue { userProvidedKeys } }", within)
    assert data["catalogue"]["userProvidedKeys"] == []
    assert within.private


@pytest.mark.parametrize(("key", "outcome"), [("alpha-key", "VALID"), ("other", "INVALID")])
async def test_a_callers_own_key_is_tried(key: str, outcome: str) -> None:
    within = context(Ports(), keyed(alpha=key))
    data = await ask('mutation { checkProviderKey(provider: "alpha") { provider { id } outcome message } }', within)
    assert data["checkProviderKey"] == {"provider": {"id": "alpha"}, "outcome": outcome, "message": "Tried."}


async def test_checking_without_a_key_says_how_to_send_one() -> None:
    code, message = await refusal('mutation { checkProviderKey(provider: "alpha") { outcome } }')
    assert code == "BAD_USER_INPUT"
    assert "X-Provider-Keys" in message


async def test_the_callers_allowance_is_the_callers_business() -> None:
    within = context()
    within.cost = 12
    data = await ask("{ clientLimit { limit remaining resetAt cost costLimit } }", within)
    assert data["clientLimit"] == {
        "limit": 100,
        "remaining": len("anonymous"),
        "resetAt": NOW.isoformat(),
        "cost": 12,
        "costLimit": 50_000,
    }


async def test_the_catalogue_tells_its_position() -> None:
    world = snapshot_of([state("alpha", [OPUS])], number=7, position=position(42), updated_at=None)
    data = await ask(
        "{ catalogue { revision cursor lastUpdated totalModels providers { id } } }", context(Ports(world))
    )
    assert data["catalogue"] == {
        "revision": 7,
        "cursor": "YWJjLjQy",
        "lastUpdated": None,
        "totalModels": 1,
        "providers": [{"id": "alpha"}],
    }

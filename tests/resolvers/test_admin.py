"""What admins may do, and that nobody else may."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest
from pydantic import SecretStr

from catalogue.change import ExpiryWithdrawn, StatusChanged
from catalogue.errors import BadUserInput
from catalogue.health import Problem, Quarantine
from catalogue.ports.audit import AuditEntry
from catalogue.ports.on_demand import Overlay
from catalogue.refresh import ProviderRefresh
from catalogue.scope import Grant, Scope
from catalogue.snapshot import Snapshot
from catalogue.vocabulary import ModelStatus, ProviderErrorCode, RefreshOutcome, StatusCause
from tests.resolvers.asking import ADMIN, ask, context, keyed, refusal, run
from tests.resolvers.fakes import Ports
from tests.resolvers.world import ALPHA, BETA, MINI, NOW, facts, position, snapshot, state

REFRESH = "mutation { refreshCatalogue { revision } }"
RESOLVE = 'mutation { resolveQuarantine(quarantine: "q1", accept: true) { revision cursor accepted provider { id } } }'
AUDIT = """query ($first: Int!, $after: String) { auditLog(first: $first, after: $after) {
  nodes { actor action target outcome count at } edges { cursor }
  pageInfo { hasNextPage hasPreviousPage endCursor } } }"""
READER = Scope(client="token:bob", actor="bob", grants=frozenset({Grant.READ}))
REFRESHER = Scope(client="token:eve", actor="eve", grants=frozenset({Grant.REFRESH}))
KEYED = replace(ADMIN, keys=keyed(alpha="k").keys)
HELD = Quarantine(id="q1", provider_id="alpha", reason="Halved.", at=NOW, model_count=1, added=0, removed=1, repriced=0)
HOLDING = snapshot(state("alpha", [MINI], health={"quarantine": HELD}), BETA)


@pytest.mark.parametrize(
    "query",
    [
        REFRESH,
        'mutation { refreshCatalogue(provider: "alpha") { revision } }',
        RESOLVE,
        "{ auditLog { nodes { at } } }",
    ],
)
async def test_without_a_token_an_admins_field_asks_for_one(query: str) -> None:
    """What it was tried on is not noted, which a stranger could vary for ever other entries."""
    ports = Ports(HOLDING)
    code, message = await refusal(query, context(ports, Scope(client="address:192.0.2.1")))
    assert code == "UNAUTHENTICATED"
    assert "Authorization" in message
    assert [(actor, outcome, target) for actor, _, outcome, target in ports.audit.notes] == [
        ("address:192.0.2.1", "unauthenticated", None)
    ]
    assert ports.refresher.calls == []
    assert ports.refresher.resolved == []


@pytest.mark.parametrize(
    ("query", "scope", "grant"),
    [(REFRESH, READER, "refresh"), (RESOLVE, REFRESHER, "admin"), ("{ auditLog { nodes { at } } }", REFRESHER, "read")],
)
async def test_a_token_without_the_right_is_told_which_it_lacks(query: str, scope: Scope, grant: str) -> None:
    ports = Ports()
    code, message = await refusal(query, context(ports, scope))
    assert code == "FORBIDDEN"
    assert f"'{grant}'" in message
    assert ports.audit.notes[0][2] == "forbidden"


async def test_a_refresh_tells_what_each_provider_did_and_every_change_in_order() -> None:
    ports = Ports()
    view = ALPHA.view(MINI, fallback=NOW)
    status = StatusChanged(
        position=position(44),
        at=NOW,
        provider_id="alpha",
        model=view,
        before=ModelStatus.LIMITED,
        after=ModelStatus.AVAILABLE,
        cause=StatusCause.AGE,
    )
    expiry = ExpiryWithdrawn(position=position(43), at=NOW, provider_id="beta", model=view)
    problem = Problem(code=ProviderErrorCode.UNREACHABLE, message="No route.", retryable=True, at=NOW)
    ports.refresher.results = [
        ProviderRefresh(provider_id="alpha", outcome=RefreshOutcome.UPDATED, changed=1, changes=(status,)),
        ProviderRefresh(
            provider_id="beta", outcome=RefreshOutcome.KEPT_LAST_GOOD, error=problem, changes=(expiry,), duration_ms=2.5
        ),
    ]
    ports.refresher.after = snapshot(ALPHA, BETA, revision=8, seq=44)
    data = await ask(
        """mutation { refreshCatalogue { revision cursor
          results { provider { id } outcome added removed changed durationMs error { code message } }
          changes { cursor kind at provider { id } __typename
            ... on StatusChanged { before after model { id } } } } }""",
        context(ports, ADMIN),
    )
    result = data["refreshCatalogue"]
    assert result["revision"] == 8
    assert result["cursor"] == result["changes"][1]["cursor"]
    assert [(r["provider"]["id"], r["outcome"], r["changed"]) for r in result["results"]] == [
        ("alpha", "UPDATED", 1),
        ("beta", "KEPT_LAST_GOOD", 0),
    ]
    assert result["results"][1]["error"] == {"code": "UNREACHABLE", "message": "No route."}
    assert [c["__typename"] for c in result["changes"]] == ["ExpiryWithdrawn", "StatusChanged"]
    assert result["changes"][1] | {"cursor": ""} == {
        "cursor": "",
        "kind": "STATUS_CHANGED",
        "at": NOW.isoformat(),
        "provider": {"id": "alpha"},
        "__typename": "StatusChanged",
        "before": "LIMITED",
        "after": "AVAILABLE",
        "model": {"id": "alpha/lab/mini"},
    }


@pytest.mark.parametrize(
    ("arguments", "called"),
    [
        ("", (("alpha", "beta"), True)),
        ("(provider: [])", (("alpha", "beta"), True)),
        ('(provider: "beta", force: false)', (("beta",), False)),
    ],
)
async def test_a_refresh_takes_the_named_providers_or_all(arguments: str, called: tuple[tuple[str, ...], bool]) -> None:
    ports = Ports()
    await ask(f"mutation {{ refreshCatalogue{arguments} {{ revision }} }}", context(ports, ADMIN))
    assert ports.refresher.calls == [called]


async def test_fields_below_a_refresh_read_the_state_after_it() -> None:
    ports = Ports()
    ports.refresher.after = snapshot(state("alpha", [MINI]), BETA, revision=8)
    data = await ask("mutation { refreshCatalogue { results { provider { modelCount } } } }", context(ports, ADMIN))
    assert [r["provider"]["modelCount"] for r in data["refreshCatalogue"]["results"]] == [1, 1]


async def test_an_admins_action_is_noted_with_its_target_and_outcome() -> None:
    ports = Ports()
    await ask('mutation { refreshCatalogue(provider: ["beta", "alpha"]) { revision } }', context(ports, ADMIN))
    assert ports.audit.notes == [("ann", "refreshCatalogue", "ok", "alpha, beta")]


async def test_an_answer_to_a_refresh_shows_the_callers_own_list() -> None:
    ports = Ports()
    ports.own_lists.own = {"alpha": state("alpha", [facts("alpha/own")])}
    ports.refresher.after = snapshot(state("alpha", [MINI]), BETA, revision=8)
    document = "mutation { refreshCatalogue { revision results { provider { id models { id } } } } }"
    told = (await ask(document, context(ports, KEYED)))["refreshCatalogue"]
    models = {r["provider"]["id"]: [m["id"] for m in r["provider"]["models"]] for r in told["results"]}
    assert models == {"alpha": ["alpha/own"], "beta": ["beta/opus"]}
    assert told["revision"] == 8


async def test_an_answer_to_a_decision_shows_the_callers_own_list() -> None:
    ports = Ports(HOLDING)
    ports.own_lists.own = {"alpha": state("alpha", [facts("alpha/own")])}
    document = 'mutation { resolveQuarantine(quarantine: "q1", accept: true) { provider { models { id } } } }'
    data = await ask(document, context(ports, KEYED))
    assert data["resolveQuarantine"]["provider"]["models"] == [{"id": "alpha/own"}]


async def test_own_lists_that_do_not_come_hold_no_refresh_up_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resolvers.context._RENEW_SECONDS", 0)
    ports = Ports()
    first = ports.own_lists.overlay

    async def never(public: Snapshot, keys: Mapping[str, SecretStr]) -> Overlay:
        if ports.own_lists.asked:
            await asyncio.Event().wait()
        return await first(public, keys)

    monkeypatch.setattr(ports.own_lists, "overlay", never)
    document = "mutation { refreshCatalogue { results { provider { models { id } } } } }"
    async with asyncio.timeout(30):
        data = await ask(document, context(ports, KEYED))
    assert [len(r["provider"]["models"]) for r in data["refreshCatalogue"]["results"]] == [3, 1]


async def test_a_failed_action_is_noted_as_failed() -> None:
    ports = Ports()
    ports.refresher.error = RuntimeError("broken")
    assert (await run(REFRESH, context(ports, ADMIN))).errors
    assert ports.audit.notes == [("ann", "refreshCatalogue", "failed", None)]


async def test_a_refresh_of_an_unknown_provider_names_the_known_ones() -> None:
    code, _ = await refusal('mutation { refreshCatalogue(provider: "x") { revision } }', context(Ports(), ADMIN))
    assert code == "UNKNOWN_PROVIDER"


@pytest.mark.parametrize(
    ("mutation", "target"),
    [
        ('refreshCatalogue(provider: ["sk-a-callers-key", "beta", "other"])', "beta, unknown"),
        ('resolveQuarantine(quarantine: "sk-a-callers-key", accept: true)', "unknown"),
    ],
)
@pytest.mark.parametrize("scope", [ADMIN, READER])
async def test_what_is_no_known_id_is_not_noted(scope: Scope, mutation: str, target: str) -> None:
    """It may be a key, and the audit log is on disk."""
    ports = Ports(HOLDING)
    ports.refresher.error = BadUserInput("No such list waits.")
    await run(f"mutation {{ {mutation} {{ revision }} }}", context(ports, scope))
    assert [noted for *_, noted in ports.audit.notes] == [target]


async def test_a_decision_about_a_held_back_list_tells_the_new_position() -> None:
    ports = Ports(HOLDING)
    ports.refresher.after = snapshot(ALPHA, BETA, revision=9, seq=50)
    data = await ask(RESOLVE, context(ports, ADMIN))
    assert data["resolveQuarantine"] == {
        "revision": 9,
        "cursor": "YWJjLjUw",
        "accepted": True,
        "provider": {"id": "alpha"},
    }
    assert ports.refresher.resolved == [("q1", True)]
    assert ports.audit.notes == [("ann", "resolveQuarantine", "ok", "q1")]


async def test_a_decision_about_another_list_is_refused_and_noted() -> None:
    ports = Ports(HOLDING)
    ports.refresher.error = BadUserInput("No such list waits.")
    code, _ = await refusal(RESOLVE, context(ports, ADMIN))
    assert code == "BAD_USER_INPUT"
    assert ports.audit.notes == [("ann", "resolveQuarantine", "bad_user_input", "q1")]


async def test_the_audit_log_is_read_a_page_at_a_time() -> None:
    ports = Ports()
    ports.audit.entries = [AuditEntry(seq=n, at=NOW, actor="ann", action=f"act{n}", outcome="ok") for n in (3, 2, 1)]
    within = context(ports, READER)
    first = (await ask(AUDIT, within, first=2))["auditLog"]
    assert [n["action"] for n in first["nodes"]] == ["act3", "act2"]
    assert (first["pageInfo"]["hasNextPage"], first["pageInfo"]["hasPreviousPage"]) == (True, False)
    second = (await ask(AUDIT, within, first=2, after=first["pageInfo"]["endCursor"]))["auditLog"]
    assert [n["action"] for n in second["nodes"]] == ["act1"]
    assert not second["pageInfo"]["hasNextPage"]


@pytest.mark.parametrize("variables", [{"first": -1}, {"first": 1001}, {"first": 1, "after": "x"}])
async def test_a_page_of_the_audit_log_is_bounded(variables: dict[str, object]) -> None:
    code, _ = await refusal(AUDIT, context(Ports(), READER), **variables)
    assert code == "BAD_USER_INPUT"

"""What determines a field's value is what its policy says: two worlds are compared that differ in one respect."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from graphql import GraphQLObjectType, get_named_type, get_nullable_type, is_list_type

from catalogue.endpoint import EndpointList
from catalogue.history import HealthBucket, Incident
from catalogue.ports.audit import AuditEntry
from catalogue.scope import Grant, Scope
from catalogue.snapshot import Snapshot
from catalogue.vocabulary import EndpointState
from schema.policy import Reads, policy_of
from tests.execution.test_catalogue_costs import ANYTHING
from tests.execution.test_seam import executor, prepared
from tests.resolvers.asking import ADMIN, schema
from tests.resolvers.fakes import FakeAudit, FakeEndpoints, FakeHistory, Ports
from tests.resolvers.world import ALPHA, BETA, NOW, OPUS, snapshot, state

QUERY = schema()._schema.query_type
REQUIRED = {"Query.model": f'(id: "{OPUS.id}")', "Query.provider": '(id: "alpha")'}

SEEN = [
    replace(
        part,
        lasting=replace(
            part.lasting, listing=replace(part.listing, first_seen=dict.fromkeys(part.listing.models, NOW))
        ),
        health=replace(part.health, next_check_at=NOW + timedelta(minutes=1)),
    )
    for part in (ALPHA, BETA)
]


def everything(kind: GraphQLObjectType, depth: int) -> str:
    """A selection of every field, down to a depth."""
    parts = []
    for name, field in kind.fields.items():
        arguments = REQUIRED.get(f"{kind.name}.{name}", "")
        inner = get_named_type(field.type)
        if not isinstance(inner, GraphQLObjectType):
            parts.append(name)
        elif depth:
            parts.append(f"{name}{arguments} {everything(inner, depth - 1)}")
    return f"{{ {' '.join(parts)} }}"


def differences(
    kind: GraphQLObjectType, one: Any, other: Any, reads: Reads = Reads.NOTHING
) -> Iterator[tuple[str, Reads]]:
    """The fields whose values differ, with all that was read on the way to them."""
    for name, field in kind.fields.items():
        if name in one:
            read, inner = reads | policy_of(field).reads, get_named_type(field.type)
            pairs = [(one[name], other[name])]
            if is_list_type(get_nullable_type(field.type)) and len(one[name]) == len(other[name]):
                pairs = list(zip(one[name], other[name], strict=True))
            for before, after in pairs:
                if isinstance(inner, GraphQLObjectType) and isinstance(before, dict) and isinstance(after, dict):
                    yield from differences(inner, before, after, read)
                elif before != after:
                    yield f"{kind.name}.{name}", read


def ports(world: Snapshot | None = None, **services: Any) -> Ports:
    made = Ports(world or snapshot(*SEEN))
    made.services = replace(made.services, **services)
    return made


def checked_later() -> Snapshot:
    """The same lists and statuses, confirmed by a later check."""
    later = NOW + timedelta(seconds=30)
    states = (
        replace(
            part,
            health=replace(part.health, last_checked=later, latency_ms=99.0, dropped_rows=3),
            as_of=part.as_of and part.as_of + timedelta(seconds=30),
        )
        for part in SEEN
    )
    return snapshot(*states)


def grown_old() -> Ports:
    """The same snapshot half an hour later, in which no status moved."""
    later = NOW + timedelta(minutes=30)
    return ports(clock=lambda: later)


class OtherHistory(FakeHistory):
    async def health(self, provider_ids: Any, *_: Any) -> dict[str, list[HealthBucket]]:
        return {id_: [HealthBucket(start=NOW, end=NOW, checks=9, failures=9)] for id_ in provider_ids}

    async def incidents(self, provider_ids: Any, _: int) -> dict[str, list[Incident]]:
        return {id_: [] for id_ in provider_ids}


class OtherEndpoints(FakeEndpoints):
    async def endpoints(self, model_ids: Any) -> list[EndpointList]:
        return [EndpointList(state=EndpointState.FAILED, as_of=None) for _ in model_ids]


def audited() -> FakeAudit:
    return FakeAudit(entries=[AuditEntry(seq=1, at=NOW, actor="ann", action="act", outcome="ok")])


OTHER = Scope(client="token:robert", actor="robert", grants=frozenset({Grant.ADMIN}))
RENAMED = replace(state("alpha", [OPUS.model_copy(update={"name": "Other", "price": None})]), health=SEEN[0].health)


@pytest.mark.parametrize(
    ("reads", "other", "scope", "seen"),
    [
        (Reads.REVISION, lambda: ports(snapshot(RENAMED, SEEN[1], revision=8)), ADMIN, "Model.name"),
        (Reads.HEALTH, lambda: ports(checked_later()), ADMIN, "Model.lastChecked"),
        (Reads.CLOCK, grown_old, ADMIN, "ProviderHealth.nextCheckAt"),
        (Reads.CALLER, ports, OTHER, "ClientLimit.remaining"),
        (Reads.STORE, lambda: ports(history=OtherHistory()), ADMIN, "ProviderHealth.uptime"),
        (Reads.STORE, lambda: ports(audit=audited()), ADMIN, "AuditConnection.nodes"),
        (Reads.ON_DEMAND, lambda: ports(endpoints=OtherEndpoints()), ADMIN, "EndpointList.state"),
    ],
)
async def test_a_value_changes_only_with_what_its_policy_reads(
    reads: Reads, other: Callable[[], Ports], scope: Scope, seen: str
) -> None:
    assert QUERY is not None
    query = everything(QUERY, depth=3)
    answers = []
    for behind, caller in ((ports(), ADMIN), (other(), scope)):
        run = executor(behind, limits=replace(ANYTHING, tokens=10**6))
        answer = orjson.loads((await run.execute(prepared(run, query), caller)).body)
        assert "errors" not in answer
        answers.append(answer["data"])
    found = list(differences(QUERY, *answers))
    assert seen in dict(found)
    assert {name for name, read in found if reads not in read} == set()


def test_a_filter_that_may_name_sources_adds_what_they_depend_on() -> None:
    run = executor(Ports())
    assert prepared(run, "{ models { id } }").reads == Reads.REVISION
    filtered = prepared(run, "{ ...F } fragment F on Query { models(filter: {source: LIVE}) { id } }")
    assert filtered.reads == Reads.REVISION | Reads.HEALTH

"""The main job over real sockets: lists in, GraphQL out, and every change seen by those who subscribe."""

import asyncio
from typing import Any

import pytest

from tests.endtoend.process import ADMIN_TOKEN, REFRESH, Data, Events, QueryError, ServerProcess, Transport, first
from tests.practice.faults import Fault
from tests.practice.rows import openrouter_list
from tests.practice.upstream import PracticeUpstream

PICKER = """
{ models(provider: "openrouter", capability: VISION, status: AVAILABLE) {
    id name pricing { input(per: MILLION) } provider { health { status } } } }
"""
AVAILABILITY = """
subscription ($since: Cursor) { availabilityChanged(provider: "openrouter", since: $since) {
  __typename cursor kind ... on StatusChanged { before after model { id status errorMessage } } } }
"""
HEALTH = """
subscription ($since: Cursor) { providerHealthChanged(provider: "openrouter", since: $since) {
  cursor kind ... on ProviderHealthChanged { before after health { status error { code message } } } } }
"""
CHANGES = """
subscription ($since: Cursor, $kinds: [ChangeKind!]) { catalogueChanged(kinds: $kinds, since: $since) {
  cursor kind provider { id }
  ... on PriceChanged { model { id } before { input(per: MILLION) } after { input(per: MILLION) } } } }
"""
PROGRESS = "subscription { refreshProgress { provider { id } step received modelCount result { outcome } } }"

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]
TRANSPORTS = pytest.mark.parametrize("transport", ["ws", "sse"])


async def cursor(server: ServerProcess) -> str:
    data = await server.query("{ catalogue { cursor } }")
    return str(data["catalogue"]["cursor"])


async def until(events: Events, **wanted: object) -> list[Data]:
    """The events up to the first one with these values, that one included."""
    seen = []
    async with asyncio.timeout(30):
        async for event in events:
            seen.append(event)
            if wanted.items() <= event.items():
                return seen
    raise AssertionError(f"the stream ended after {seen}")


def repriced(prompt: str) -> list[dict[str, Any]]:
    rows = openrouter_list()
    return [row | {"pricing": row["pricing"] | {"prompt": prompt}} if "llama" in row["id"] else row for row in rows]


async def test_a_picker_reads_what_it_needs_in_one_query(server: ServerProcess) -> None:
    models = (await server.query(PICKER))["models"]
    assert [model["id"] for model in models] == ["openrouter/google/gemini-practice", "openrouter/openai/practice-5"]
    assert models[0] == {
        "id": "openrouter/google/gemini-practice",
        "name": "Google: Gemini Practice",
        "pricing": {"input": 1.25},
        "provider": {"health": {"status": "HEALTHY"}},
    }


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.NEVER_ENDING, Fault.SERVER_ERROR])
async def test_queries_are_answered_from_the_snapshot_whatever_upstream_does(
    server: ServerProcess, upstream: PracticeUpstream, fault: Fault
) -> None:
    for name in ("openrouter", "requesty", "practice"):
        upstream.set_fault(name, fault)
    seen = len(upstream.log)
    refreshing = asyncio.create_task(server.query(REFRESH, token=ADMIN_TOKEN))
    await upstream.arrived(seen + 1)
    answers = await asyncio.gather(*(server.query("{ models { id name } }") for _ in range(20)))
    assert {len(answer["models"]) for answer in answers} == {20}
    await refreshing


@TRANSPORTS
async def test_a_provider_taken_down_and_brought_back_is_seen_by_a_subscriber(
    server: ServerProcess, upstream: PracticeUpstream, transport: Transport
) -> None:
    since = await cursor(server)
    async with (
        server.subscription(transport, AVAILABILITY, since=since) as models,
        server.subscription(transport, HEALTH, since=since) as health,
    ):
        await upstream.stop()
        down = await first(health, after="DOWN")
        assert down["health"]["error"]["code"] == "UNREACHABLE"
        gone = await first(models, after="UNAVAILABLE")
        assert gone["model"]["status"] == "UNAVAILABLE"
        assert gone["model"]["errorMessage"] == "OpenRouter is down: The connection to the provider failed."
        assert (await server.query(PICKER))["models"] == []

        await upstream.start()
        assert (await first(health, after="HEALTHY"))["health"] == {"status": "HEALTHY", "error": None}
        back = await first(models, after="AVAILABLE")
        assert back["model"]["errorMessage"] is None
        assert len((await server.query(PICKER))["models"]) == 2


@TRANSPORTS
async def test_resuming_after_a_disconnect_gives_exactly_what_was_missed(
    server: ServerProcess, upstream: PracticeUpstream, transport: Transport
) -> None:
    since = await cursor(server)
    async with (
        server.subscription("ws", CHANGES, since=since) as witness,
        server.subscription(transport, CHANGES, since=since) as events,
    ):
        await upstream.stop()
        seen = [await anext(events)]
        resumed_at = seen[-1]["cursor"]
        whole = await until(witness, kind="PROVIDER_HEALTH_CHANGED")
        await events.aclose()
        whole += await until(witness, kind="STATUS_CHANGED")
        await upstream.start()
        upstream.set_list("openrouter", repriced("0.00000009"))
        whole += await until(witness, kind="PRICE_CHANGED")
    async with server.subscription(transport, CHANGES, since=resumed_at) as events:
        while seen[-1]["cursor"] != whole[-1]["cursor"]:
            seen.append(await asyncio.wait_for(anext(events), 30))
    assert seen == whole


@TRANSPORTS
async def test_a_changed_price_is_told_with_what_it_was_and_what_it_is(
    server: ServerProcess, upstream: PracticeUpstream, transport: Transport
) -> None:
    since = await cursor(server)
    async with server.subscription(transport, CHANGES, since=since, kinds=["PRICE_CHANGED"]) as events:
        upstream.set_list("openrouter", repriced("0.00000009"))
        event = await asyncio.wait_for(anext(events), 30)
    assert event["provider"] == {"id": "openrouter"}
    assert event["model"] == {"id": "openrouter/meta/llama-practice"}
    assert (event["before"], event["after"]) == ({"input": 0.07}, {"input": 0.09})


@TRANSPORTS
async def test_the_steps_of_a_refresh_are_told_as_they_happen(
    server: ServerProcess, upstream: PracticeUpstream, transport: Transport
) -> None:
    async with server.subscription(transport, PROGRESS) as events:
        upstream.set_list("openrouter", repriced("0.00000009"))
        refreshing = asyncio.create_task(server.refresh("openrouter"))
        steps = await until(events, provider={"id": "openrouter"}, step="DONE")
        await refreshing
    names = [step["step"] for step in steps if step["provider"]["id"] == "openrouter"]
    assert names[0] in {"WAITING", "FETCHING"}
    assert names[-3:] == ["READING", "COMPARING", "DONE"]
    assert [step["modelCount"] for step in steps if step["step"] == "COMPARING"][-1:] == [10]
    assert steps[-1]["result"]["outcome"] == "UPDATED"


async def test_unknown_providers_and_wrong_arguments_get_one_clear_error(server: ServerProcess) -> None:
    for document, code, named in (
        ('{ models(provider: "opnrouter") { id } }', "UNKNOWN_PROVIDER", "openrouter"),
        ("{ models(limit: -1) { id } }", "BAD_USER_INPUT", "limit"),
        (f'{{ models(search: "{"x" * 201}") {{ id }} }}', "BAD_USER_INPUT", "200"),
    ):
        with pytest.raises(QueryError, match=named) as caught:
            await server.query(document)
        assert caught.value.codes == [code]

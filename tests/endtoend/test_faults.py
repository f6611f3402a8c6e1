"""Every fault of an upstream, switched on in turn: readers keep the last good list, are told the truth, and it heals.

One provider without a key goes wrong on every path while two others stay well. `EXPECTED` says per fault what a refresh
answers and how the provider then stands.
"""

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
import pytest_asyncio

from tests.endtoend.conftest import IMPATIENT, PROVIDERS, mended, settings
from tests.endtoend.process import PATIENCE, Data, Events, ServerProcess, first
from tests.practice import bad_answers
from tests.practice.faults import Fault
from tests.practice.plays import MARKER
from tests.practice.rows import big_list
from tests.practice.upstream import STRANGER, PracticeUpstream

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]

MODELS = 60
RETRIES = 1
PAGES = 50
LIST_TTL, HEALTH_TTL = 0.4, 0.2
PER_SECOND, BURST = 19, 60
"""What 1,200 calls a minute with bursts of 60 come to: the bucket refills by (1200 - 60) / 60 a second."""
MOST_GROWTH = 60_000_000
"""Bytes that all faults together may add to the server's peak of memory; a body is read up to 20 MB."""
DEARER = 1.5
"""What a query may cost at most, as a multiple of what it costs while all is well."""

HEALTH = """
subscription ($since: Cursor) { providerHealthChanged(provider: "openrouter", since: $since) {
  ... on ProviderHealthChanged { after } } }
"""
PROGRESS = "subscription { refreshProgress { provider { id } step result { outcome error { code } } } }"


@dataclass(frozen=True)
class Expected:
    """What clients see of a fault."""

    outcome: str
    code: str | None
    says: str = ""
    """A part of the error's message."""
    status: str = "DEGRADED"
    or_else: str = ""
    """Another status that chance may bring about."""
    calls: int = 1
    """How many calls one refresh makes at most."""
    note: str = ""
    """What health says although the refresh met no error."""


KEPT, HELD = "KEPT_LAST_GOOD", "QUARANTINED"
TWICE = 1 + RETRIES
FINE = Expected("UNCHANGED", None, status="HEALTHY")
EXPECTED: dict[Fault, Expected] = {
    Fault.SERVER_ERROR: Expected(KEPT, "UNREACHABLE", "status 500", "DOWN", calls=TWICE),
    Fault.RATE_LIMITED: Expected(KEPT, "RATE_LIMITED", "rate limit is reached", calls=TWICE),
    Fault.RATE_LIMITED_UNTIL: Expected(KEPT, "RATE_LIMITED", "rate limit is reached", calls=TWICE),
    Fault.RATE_LIMITED_ABSURDLY: Expected(KEPT, "RATE_LIMITED", "rate limit is reached"),
    Fault.UNAUTHORIZED: Expected(KEPT, "UNAUTHORIZED", "status 401"),
    Fault.FORBIDDEN: Expected(KEPT, "UNAUTHORIZED", "status 403"),
    Fault.SLOW: Expected(KEPT, "TIMEOUT", "within", "DOWN", calls=TWICE),
    Fault.HANG: Expected(KEPT, "TIMEOUT", "within", "DOWN", calls=TWICE),
    Fault.RESET: Expected(KEPT, "UNREACHABLE", "The", or_else="DOWN", calls=TWICE),
    Fault.TRUNCATED: Expected(KEPT, "UNREACHABLE", "incomplete", or_else="DOWN", calls=TWICE),
    Fault.HTML: Expected(KEPT, "MALFORMED", "web page"),
    Fault.WRONG_TYPES: Expected(KEPT, "MALFORMED", "has no list"),
    Fault.WRONG_FIELDS: Expected(HELD, "SUSPICIOUS", "prices of 60 of 60", "HEALTHY"),
    Fault.GARBAGE_ROWS: replace(FINE, note="9 rows of the list could not be read and were left out."),
    Fault.EMPTY: Expected(HELD, "SUSPICIOUS", "is empty", "HEALTHY"),
    Fault.SHRUNK: Expected(HELD, "SUSPICIOUS", "lost 30 of 60 models", "HEALTHY"),
    Fault.INFLATED: Expected(HELD, "SUSPICIOUS", "prices of 60 of 60", "HEALTHY"),
    Fault.DUPLICATES: FINE,
    Fault.REDIRECT: Expected(KEPT, "REJECTED", "another origin"),
    Fault.ENDLESS_REDIRECT: Expected(KEPT, "REJECTED", "more than 3 times", calls=4),
    Fault.HUGE: Expected(KEPT, "MALFORMED", "larger than"),
    Fault.GZIP_BOMB: Expected(KEPT, "MALFORMED", "larger than"),
    Fault.NEVER_ENDING: Expected(KEPT, "MALFORMED", "larger than"),
    Fault.FLAPPING: replace(FINE, or_else="DEGRADED", calls=TWICE),
    Fault.WRONG_CHARSET: FINE,
    Fault.INVALID_UTF8: Expected(KEPT, "MALFORMED", "UTF-8"),
    Fault.PAGING_LOOP: Expected(KEPT, "MALFORMED", "more than 50 pages", calls=PAGES),
    Fault.SAME_PAGE: Expected(KEPT, "MALFORMED", "form a loop", calls=3),
}
MODEL_STATUS = {"HEALTHY": "AVAILABLE", "DEGRADED": "LIMITED", "DOWN": "UNAVAILABLE"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(upstream: PracticeUpstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    upstream.set_list("openrouter", big_list(MODELS))
    bad_answers._bomb()  # packed once and kept, so that no test waits for it
    soon = {"list_ttl": LIST_TTL, "health_ttl": HEALTH_TTL, "timeout": IMPATIENT}
    paced = settings(upstream, **soon, requests_per_minute=1_200, burst=BURST)
    async with ServerProcess(tmp_path_factory.mktemp("server"), paced) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def server(served: ServerProcess, upstream: PracticeUpstream, monkeypatch: pytest.MonkeyPatch) -> ServerProcess:
    monkeypatch.setattr(bad_answers, "RETRY_SECONDS", 1)
    await mended(served, upstream, openrouter=big_list(MODELS))
    return served


@pytest.mark.parametrize("fault", Fault)
async def test_readers_keep_the_last_good_list_are_told_the_truth_and_it_heals(
    server: ServerProcess, upstream: PracticeUpstream, fault: Fault
) -> None:
    expected = EXPECTED[fault]
    good = await server.provider("openrouter")
    since = (await server.query("{ catalogue { cursor } }"))["catalogue"]["cursor"]
    before, peak = len(upstream.seen("openrouter")), server.peak_rss()
    async with server.subscription("ws", HEALTH, since=since) as health:
        upstream.set_fault("openrouter", fault)
        (result,) = await server.refresh("openrouter")
        calls = len(upstream.seen("openrouter")) - before
        assert_honest(result, expected)
        if expected.status != "HEALTHY":
            await first(health, after=expected.status)
        assert_true(await server.provider("openrouter"), good, expected)

        upstream.clear()
        if fault is Fault.RATE_LIMITED_ABSURDLY:  # left alone for an hour, unless an admin knows better
            await server.refresh("openrouter")
        await recovered(server, health)
    assert calls <= expected.calls + 1, "one refresh, and perhaps a probe that was under way"
    assert server.peak_rss() - peak < MOST_GROWTH
    assert MARKER not in server.stderr
    assert not any(seen.elsewhere for seen in upstream.log)


def assert_honest(result: Data, expected: Expected) -> None:
    error = result["error"]
    assert (result["outcome"], error and error["code"]) == (expected.outcome, expected.code)
    assert expected.says in (error["message"] if error else "")
    assert [result[count] for count in ("added", "removed", "modelCount")] == [0, 0, MODELS]
    assert result["changed"] in {0, MODELS}, "facts stay; the status of all may have changed"
    assert MARKER not in str(result)


def assert_true(now: Data, good: Data, expected: Expected) -> None:
    """The list is the last good one, and what is wrong is said of the provider and of each model."""
    health = now["health"]
    assert health["status"] in {expected.status, expected.or_else}
    assert now["modelCount"] == MODELS
    assert [(m["id"], m["pricing"]) for m in now["models"]] == [(m["id"], m["pricing"]) for m in good["models"]]
    said = health["error"]["message"] if health["error"] else ""
    assert (expected.note or expected.says) in said
    assert (health["quarantine"] is not None) is (expected.outcome == HELD)
    for model in now["models"]:
        assert STRANGER not in model["id"]
        if health["status"] == "HEALTHY" and model["status"] == "LIMITED":
            assert model["errorMessage"].startswith("The last good list of OpenRouter is from ")
            continue
        assert model["status"] == MODEL_STATUS[health["status"]]
        assert said in (model["errorMessage"] or said)
        assert (model["errorMessage"] is None) is (model["status"] == "AVAILABLE")
    assert MARKER not in str(now)


async def recovered(server: ServerProcess, health: Events) -> None:
    """Wait until a poll that began after the fault has taken the good list, and the provider is healthy."""
    async with asyncio.timeout(PATIENCE), server.subscription("sse", PROGRESS) as progress:
        step: Data = {}
        while step.get("outcome") not in {"UPDATED", "UNCHANGED"} or step["error"]:
            await first(progress, provider={"id": "openrouter"}, step="FETCHING")
            step = (await first(progress, provider={"id": "openrouter"}, step="DONE"))["result"]
        while (await server.provider("openrouter"))["health"]["status"] != "HEALTHY":
            await first(health, after="HEALTHY")
    now = await server.provider("openrouter")
    assert (now["health"]["status"], now["health"]["error"], now["health"]["quarantine"]) == ("HEALTHY", None, None)
    assert {(model["status"], model["source"]) for model in now["models"]} == {("AVAILABLE", "LIVE")}


async def test_calls_to_a_provider_that_stays_down_come_ever_more_rarely(
    server: ServerProcess, upstream: PracticeUpstream
) -> None:
    since = (await server.query("{ catalogue { cursor } }"))["catalogue"]["cursor"]
    async with server.subscription("ws", HEALTH, since=since) as health:
        upstream.set_fault("openrouter", Fault.SERVER_ERROR)
        await first(health, after="DOWN")
        calls = len(upstream.seen("openrouter"))
        times = [seen.at for seen in (await upstream.arrived(calls + 3, "openrouter"))[calls - 1 :]]
    gaps = [after - before for before, after in pairwise(times)]
    assert all(after > 1.5 * before for before, after in pairwise(gaps)), gaps


async def test_a_provider_that_asks_to_wait_is_left_alone_for_so_long(
    server: ServerProcess, upstream: PracticeUpstream
) -> None:
    upstream.set_fault("openrouter", Fault.RATE_LIMITED)
    await server.refresh("openrouter")
    calls = len(upstream.seen("openrouter"))
    times = [seen.at for seen in (await upstream.arrived(calls + 2, "openrouter"))[calls - 1 :]]
    gaps = [after - before for before, after in pairwise(times)]
    assert max(gaps[:2]) >= bad_answers.RETRY_SECONDS, "one probe may have been under way"


async def test_an_outage_is_logged_edge_by_edge_with_how_long_it_took(
    server: ServerProcess, upstream: PracticeUpstream
) -> None:
    logged = len(server.stderr)
    since = (await server.query("{ catalogue { cursor } }"))["catalogue"]["cursor"]
    async with server.subscription("ws", HEALTH, since=since) as health:
        upstream.set_fault("openrouter", Fault.SERVER_ERROR)
        await first(health, after="DOWN")
        upstream.clear()
        await first(health, after="HEALTHY")
    await server.logged('"after": "healthy"', after=logged)
    lines = [json.loads(line) for line in server.stderr[logged:].splitlines()]
    assert {line["level"] for line in lines} == {"info"}, "no line for each failed call"
    edges = [line for line in lines if line["event"] == "provider_health_changed"]
    assert [(edge["before"], edge["after"]) for edge in edges] == list(
        pairwise(["healthy", "degraded", "down", "healthy"])
    )
    assert 0 < edges[-1]["seconds"] < PATIENCE
    assert edges[1]["error"] == "The provider answered with status 500."


async def test_no_fault_makes_the_server_call_more_often_than_it_may(
    server: ServerProcess, upstream: PracticeUpstream
) -> None:
    began, before = time.monotonic(), len(upstream.seen("openrouter"))
    upstream.set_fault("openrouter", Fault.PAGING_LOOP)
    refreshing = asyncio.create_task(server.refresh("openrouter"))
    calls = len(await upstream.arrived(before + 2 * PAGES, "openrouter")) - before
    took = time.monotonic() - began
    upstream.clear()
    await refreshing
    assert calls <= BURST + PER_SECOND * took + 1


async def test_queries_cost_no_more_while_every_provider_hangs(
    server: ServerProcess, upstream: PracticeUpstream
) -> None:
    well = await cost(server)
    for name in PROVIDERS:
        upstream.set_fault(name, Fault.HANG)
    refreshing = asyncio.create_task(server.refresh())
    await upstream.arrived(len(upstream.log) + len(PROVIDERS))
    ill = await cost(server)
    await refreshing
    assert ill < DEARER * well


async def cost(server: ServerProcess) -> float:
    """The median of what 300 queries take, in CPU time."""
    costs = []
    for _ in range(300):
        began = server.cpu_seconds()
        await server.query("{ models(limit: 20) { id name status provider { health { status } } } }")
        costs.append(server.cpu_seconds() - began)
    return statistics.median(costs)

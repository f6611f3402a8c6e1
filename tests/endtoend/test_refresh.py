"""An admin's refresh tells per provider what happened, and costs upstream no more than it must."""

import asyncio

import pytest
import pytest_asyncio

from tests.endtoend.conftest import PROVIDERS, mended
from tests.endtoend.process import ADMIN_TOKEN, QueryError, ServerProcess
from tests.practice.faults import Fault
from tests.practice.rows import openai_row
from tests.practice.upstream import PracticeUpstream

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]

ROWS = [openai_row(f"model-{number}") for number in range(5)]
IF_OLD = "mutation { refreshCatalogue(force: false) { results { outcome durationMs } } }"


@pytest_asyncio.fixture(loop_scope="module")
async def server(unhurried: ServerProcess, upstream: PracticeUpstream) -> ServerProcess:
    await mended(unhurried, upstream, practice=ROWS)
    return unhurried


async def test_a_refresh_counts_what_was_added_removed_and_changed(
    server: ServerProcess, upstream: PracticeUpstream
) -> None:
    changed = [openai_row("model-1", max_model_len=4_096), openai_row("model-2", max_model_len=8_192)]
    upstream.set_list("practice", [openai_row("new"), *changed, *ROWS[4:]])
    (result,) = await server.refresh("practice")
    counts = [result[count] for count in ("added", "removed", "changed", "modelCount")]
    assert (result["outcome"], counts, result["error"]) == ("UPDATED", [1, 0, 4, 4], None), "two are gone for now"
    (again,) = await server.refresh("practice")
    counts = [again[count] for count in ("added", "removed", "changed", "modelCount")]
    assert (again["outcome"], counts) == ("UPDATED", [0, 2, 0, 4]), "what was gone is now removed"
    (settled,) = await server.refresh("practice")
    assert settled["outcome"] == "UNCHANGED"


async def test_a_refresh_of_all_tells_the_one_that_failed_from_those_that_did_not(
    server: ServerProcess, upstream: PracticeUpstream
) -> None:
    upstream.set_fault("requesty", Fault.HTML)
    results = {result["provider"]["id"]: result for result in await server.refresh()}
    assert {id_: result["outcome"] for id_, result in results.items()} == {
        "openrouter": "UNCHANGED",
        "requesty": "KEPT_LAST_GOOD",
        "practice": "UNCHANGED",
    }
    assert results["requesty"]["error"]["code"] == "MALFORMED"
    assert results["requesty"]["modelCount"] == 6


async def test_refreshes_at_once_share_one_flight(server: ServerProcess, upstream: PracticeUpstream) -> None:
    before = len(upstream.log)
    for name in PROVIDERS:
        upstream.hold(name)
    refreshing = [asyncio.create_task(server.refresh()) for _ in range(10)]
    await upstream.arrived(before + len(PROVIDERS))
    for _ in range(20):  # by the time these are answered, all that was sent before them has come in
        await server.query("{ catalogue { revision } }")
    upstream.clear()
    answers = await asyncio.gather(*refreshing)
    assert len(upstream.log) == before + len(PROVIDERS)
    assert all(result["outcome"] == "UNCHANGED" for answer in answers for result in answer)


async def test_without_force_lists_that_are_fresh_are_left_alone(
    server: ServerProcess, upstream: PracticeUpstream
) -> None:
    before = len(upstream.log)
    data = await server.query(IF_OLD, token=ADMIN_TOKEN)
    assert [result["outcome"] for result in data["refreshCatalogue"]["results"]] == ["SKIPPED"] * 3
    assert len(upstream.log) == before


@pytest.mark.parametrize(("token", "code"), [(None, "UNAUTHENTICATED"), ("practice-reader-token", "FORBIDDEN")])
async def test_only_admins_refresh(
    server: ServerProcess, upstream: PracticeUpstream, token: str | None, code: str
) -> None:
    before = len(upstream.log)
    with pytest.raises(QueryError) as caught:
        await server.query(IF_OLD, token=token)
    assert caught.value.codes == [code]
    assert len(upstream.log) == before

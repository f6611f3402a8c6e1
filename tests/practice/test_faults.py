"""Every fault of the practice upstream goes wrong as it says, so that other tests may lean on it."""

import asyncio
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
import pytest

from tests.practice.bad_answers import ABSURD_SECONDS, HUGE_BYTES, MEGABYTE, RETRY_SECONDS
from tests.practice.bad_rows import PRICE_FACTOR
from tests.practice.client import Client
from tests.practice.faults import ANSWER_FAULTS, ROW_FAULTS, Fault
from tests.practice.plays import MARKER
from tests.practice.rows import big_list, openrouter_row, requesty_row
from tests.practice.upstream import STRANGER, PracticeUpstream

STOPPED_IN = 30.0
"""Seconds: half of what aiohttp waits for the requests that are under way."""
PLAYED = ("openrouter", "requesty", "practice")


def test_every_fault_is_played_in_exactly_one_way() -> None:
    assert set(Fault) == set(ROW_FAULTS) | set(ANSWER_FAULTS)
    assert not set(ROW_FAULTS) & set(ANSWER_FAULTS)


@pytest.mark.parametrize("name", PLAYED)
@pytest.mark.parametrize(
    ("fault", "status"),
    [(Fault.SERVER_ERROR, 500), (Fault.RATE_LIMITED, 429), (Fault.UNAUTHORIZED, 401), (Fault.FORBIDDEN, 403)],
)
async def test_an_error_has_its_status_and_the_marker_in_its_body(
    client: Client, upstream: PracticeUpstream, name: str, fault: Fault, status: int
) -> None:
    upstream.set_fault(name, fault)
    got = await client.get(name)
    assert got.status == status
    assert MARKER in got.json["error"]["message"]


async def test_retry_after_comes_as_seconds_as_a_date_and_absurdly_long(
    client: Client, upstream: PracticeUpstream
) -> None:
    told = []
    for fault in (Fault.RATE_LIMITED, Fault.RATE_LIMITED_UNTIL, Fault.RATE_LIMITED_ABSURDLY):
        upstream.set_fault("openrouter", fault)
        told.append((await client.get("openrouter")).headers["Retry-After"])
    assert (told[0], told[2]) == (str(RETRY_SECONDS), str(ABSURD_SECONDS))
    assert abs((parsedate_to_datetime(told[1]) - datetime.now(UTC)).total_seconds()) <= RETRY_SECONDS


async def test_a_slow_answer_comes_drop_by_drop(client: Client, upstream: PracticeUpstream) -> None:
    upstream.set_fault("openrouter", Fault.SLOW)
    assert await client.read("openrouter", at_most=2) == 2
    assert upstream.streamed < 20


async def test_a_hanging_request_is_never_answered_and_does_not_delay_the_stop(
    client: Client, upstream: PracticeUpstream
) -> None:
    upstream.set_fault("openrouter", Fault.HANG)
    waiting = asyncio.create_task(client.get("openrouter"))
    await upstream.arrived()
    assert not waiting.done()
    async with asyncio.timeout(STOPPED_IN):
        await upstream.stop()
    with pytest.raises(aiohttp.ClientConnectionError):
        await waiting


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.TRUNCATED])
async def test_a_broken_off_body_fails_the_read(client: Client, upstream: PracticeUpstream, fault: Fault) -> None:
    upstream.set_fault("openrouter", fault)
    with pytest.raises((aiohttp.ClientPayloadError, ConnectionResetError, aiohttp.ClientOSError)):
        await client.get("openrouter")


async def test_a_reset_is_no_orderly_end_and_a_truncation_is_one(client: Client, upstream: PracticeUpstream) -> None:
    async def read_raw(fault: Fault) -> bytes:
        upstream.set_fault("openrouter", fault)
        reader, writer = await asyncio.open_connection("127.0.0.1", upstream.port)
        writer.write(b"GET /openrouter/api/v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        try:
            return await asyncio.wait_for(reader.read(-1), 30)
        finally:
            writer.close()

    whole = len((await client.get("openrouter")).body)
    cut = await read_raw(Fault.TRUNCATED)
    assert f"Content-Length: {whole}".encode() in cut
    assert len(cut.partition(b"\r\n\r\n")[2]) == whole // 2
    with pytest.raises(ConnectionResetError):
        await read_raw(Fault.RESET)


async def test_html_comes_with_status_200(client: Client, upstream: PracticeUpstream) -> None:
    upstream.set_fault("requesty", Fault.HTML)
    got = await client.get("requesty")
    assert (got.status, got.headers["Content-Type"].partition(";")[0]) == (200, "text/html")
    assert got.body.startswith(b"<!DOCTYPE html>")


async def test_wrong_types_are_json_whose_list_is_no_list(client: Client, upstream: PracticeUpstream) -> None:
    upstream.set_fault("requesty", Fault.WRONG_TYPES)
    assert isinstance((await client.get("requesty")).json["data"], dict)


@pytest.mark.parametrize("name", PLAYED)
async def test_wrong_fields_keep_the_ids_and_no_other_type(
    client: Client, upstream: PracticeUpstream, name: str
) -> None:
    good = (await client.get(name)).json["data"]
    upstream.set_fault(name, Fault.WRONG_FIELDS)
    bad = (await client.get(name)).json["data"]
    assert [row["id"] for row in bad] == [row["id"] for row in good]
    assert all(type(row["created"]) is not int for row in bad)


async def test_garbage_rows_stand_among_all_the_good_ones(client: Client, upstream: PracticeUpstream) -> None:
    good = (await client.get("openrouter")).json["data"]
    upstream.set_fault("openrouter", Fault.GARBAGE_ROWS)
    rows = (await client.get("openrouter")).json["data"]
    assert rows[-len(good) :] == good
    assert None in rows
    assert any(isinstance(row, dict) and "id" not in row for row in rows)


async def test_the_list_is_empty_halved_or_doubled(client: Client, upstream: PracticeUpstream) -> None:
    upstream.set_list("openrouter", big_list(10))
    sizes = []
    for fault in (Fault.EMPTY, Fault.SHRUNK, Fault.DUPLICATES):
        upstream.set_fault("openrouter", fault)
        ids = (await client.get("openrouter")).ids
        sizes.append((len(ids), len(set(ids))))
    assert sizes == [(0, 0), (5, 5), (20, 10)]


async def test_inflated_prices_are_a_million_times_the_true_ones_and_nothing_else_changes(
    client: Client, upstream: PracticeUpstream
) -> None:
    tiers = [{"min_prompt_tokens": 200_000, "prompt": "0.0000025"}]
    dear = {"prompt": "0.00000125", "completion": "-1", "overrides": tiers}
    upstream.set_list("openrouter", [openrouter_row("acme/dear", pricing=dear)])
    upstream.set_list("requesty", [requesty_row("acme/dear", prompt=1e-07)])
    for name in PLAYED:
        upstream.set_fault(name, Fault.INFLATED)
    (row,) = (await client.get("openrouter")).json["data"]
    (other,) = (await client.get("requesty")).json["data"]
    assert float(row["pricing"]["prompt"]) == 1.25
    assert row["pricing"]["completion"] == "-1"
    assert row["pricing"]["overrides"] == [{"min_prompt_tokens": 200_000, "prompt": "2.5000000"}]
    assert row["context_length"] == 131_072
    assert other["input_price"] == other["pricing"][0]["input_price"] == pytest.approx(1e-07 * PRICE_FACTOR)
    assert other["pricing"][0]["prompt_tokens_threshold"] == 0


async def test_a_redirect_points_to_another_host_which_notes_who_comes(
    client: Client, upstream: PracticeUpstream
) -> None:
    upstream.set_fault("openrouter", Fault.REDIRECT)
    got = await client.get("openrouter")
    assert got.status == 302
    assert not got.headers["Location"].startswith(f"http://127.0.0.1:{upstream.port}/")
    assert (await client.get("openrouter", got.headers["Location"])).ids == [STRANGER]
    assert [seen.elsewhere for seen in upstream.log] == [False, True]


async def test_an_endless_redirect_is_redirected_again(client: Client, upstream: PracticeUpstream) -> None:
    upstream.set_fault("openrouter", Fault.ENDLESS_REDIRECT)
    with pytest.raises(aiohttp.TooManyRedirects):
        await client.read("openrouter", at_most=1)
    assert len(upstream.log) == 10


@pytest.mark.parametrize("fault", [Fault.HUGE, Fault.NEVER_ENDING, Fault.GZIP_BOMB])
async def test_a_monstrous_body_outgrows_any_bound_while_upstream_sends_little_more_than_was_read(
    client: Client, upstream: PracticeUpstream, fault: Fault
) -> None:
    upstream.set_fault("openrouter", fault)
    assert await client.read("openrouter", at_most=20 * MEGABYTE) >= 20 * MEGABYTE
    assert upstream.streamed < HUGE_BYTES / 4


async def test_a_gzip_bomb_is_small_on_the_wire(client: Client, upstream: PracticeUpstream) -> None:
    upstream.set_fault("openrouter", Fault.GZIP_BOMB)
    async with client.session.get(upstream.base_url("openrouter") + "/models") as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert int(response.headers["Content-Length"]) < 2 * MEGABYTE
        response.close()


async def test_flapping_fails_every_other_time(client: Client, upstream: PracticeUpstream) -> None:
    upstream.set_fault("openrouter", Fault.FLAPPING)
    assert [(await client.get("openrouter")).status for _ in range(4)] == [500, 200, 500, 200]


async def test_a_wrong_charset_is_declared_over_utf_8(client: Client, upstream: PracticeUpstream) -> None:
    upstream.set_fault("openrouter", Fault.WRONG_CHARSET)
    got = await client.get("openrouter")
    assert "utf-16" in got.headers["Content-Type"]
    assert got.ids


async def test_invalid_utf_8_is_no_text(client: Client, upstream: PracticeUpstream) -> None:
    upstream.set_fault("openrouter", Fault.INVALID_UTF8)
    with pytest.raises(UnicodeDecodeError):
        (await client.get("openrouter")).body.decode()


@pytest.mark.parametrize(("fault", "distinct"), [(Fault.PAGING_LOOP, 5), (Fault.SAME_PAGE, 1)])
async def test_a_page_always_names_another_next_page(
    client: Client, upstream: PracticeUpstream, fault: Fault, distinct: int
) -> None:
    upstream.set_fault("openrouter", fault)
    onward, pages = "/models", []
    for _ in range(5):
        onward = (await client.get("openrouter", onward)).json["links"]["next"]
        pages.append(onward)
    assert len(set(pages)) == distinct

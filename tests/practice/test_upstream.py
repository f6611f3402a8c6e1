"""The practice upstream plays its parts and its faults as it says, so that other tests may lean on it."""

import asyncio
import time
import tomllib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import orjson
import pytest
import pytest_asyncio

from tests.practice.bad_answers import ABSURD_SECONDS, HUGE_BYTES, MEGABYTE, RETRY_SECONDS
from tests.practice.bad_rows import PRICE_FACTOR
from tests.practice.control import routes
from tests.practice.faults import ANSWER_FAULTS, ROW_FAULTS, Fault
from tests.practice.log import fingerprint
from tests.practice.plays import MARKER, Envelope
from tests.practice.rows import big_list, openai_row, openrouter_endpoint, openrouter_row, requesty_row
from tests.practice.upstream import STRANGER, PracticeUpstream

PLAYED = ("openrouter", "requesty", "practice")
SECONDS = aiohttp.ClientTimeout(total=5)


@dataclass
class Got:
    """An answer, read to the end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def ids(self) -> list[str]:
        return [row["id"] for row in self.json["data"]]


@dataclass
class Client:
    """A plain client of one practice upstream that follows no redirect."""

    session: aiohttp.ClientSession
    upstream: PracticeUpstream

    async def get(self, name: str, path: str = "/models", **headers: str) -> Got:
        url = path if path.startswith("http") else self.upstream.base_url(name) + path
        async with self.session.get(url, headers=headers, allow_redirects=False) as response:
            return Got(response.status, response.headers, await response.read())

    async def read(self, name: str, at_most: int) -> int:
        """Read the list's body, at most so many bytes, and give how many came."""
        async with self.session.get(self.upstream.base_url(name) + "/models") as response:
            total = 0
            while total < at_most and (chunk := await response.content.read(65_536)):
                total += len(chunk)
            response.close()
            return total


@pytest_asyncio.fixture
async def upstream() -> AsyncIterator[PracticeUpstream]:
    async with PracticeUpstream() as server:
        yield server


@pytest_asyncio.fixture
async def client(upstream: PracticeUpstream) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession(timeout=SECONDS) as session:
        yield Client(session, upstream)


def key(value: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {value}"}


@pytest.mark.parametrize("name", PLAYED)
async def test_every_provider_lists_distinct_models(client: Client, name: str) -> None:
    got = await client.get(name)
    assert got.status == 200
    assert len(got.ids) == len(set(got.ids)) > 3


async def test_openrouter_lists_models_without_text_output_only_when_asked_for_all(client: Client) -> None:
    usual, everything = await client.get("openrouter"), await client.get("openrouter", "/models?output_modalities=all")
    assert set(everything.ids) - set(usual.ids) == {"flux/image-practice"}


async def test_openrouter_pages_by_links_next_until_every_model_was_given(
    client: Client, upstream: PracticeUpstream
) -> None:
    upstream.provider("openrouter").page_size = 4
    onward, ids = "/models?output_modalities=all", []
    while onward:
        got = await client.get("openrouter", onward)
        ids += got.ids
        onward = got.json["links"]["next"]
    assert ids == [row["id"] for row in upstream.provider("openrouter").rows]
    assert len(upstream.log) == 3


async def test_openrouter_gives_a_models_endpoints_by_its_id_and_404_for_another(
    client: Client, upstream: PracticeUpstream
) -> None:
    upstream.provider("openrouter").endpoints["openai/practice-5"] = [
        openrouter_endpoint("openai/practice-5", "Acme", status=-5)
    ]
    got = await client.get("openrouter", "/models/openai/practice-5/endpoints")
    assert [endpoint["status"] for endpoint in got.json["data"]["endpoints"]] == [-5]
    assert (await client.get("openrouter", "/models/openai/none/endpoints")).status == 404


@pytest.mark.parametrize(("name", "rejected"), [("openrouter", 401), ("requesty", 403)])
async def test_a_key_check_tells_valid_from_unknown_from_missing(
    client: Client, upstream: PracticeUpstream, name: str, rejected: int
) -> None:
    upstream.set_keys(name, {"good": None})
    url = upstream.health_url(name)
    statuses = [(await client.get(name, url, **headers)).status for headers in (key("good"), key("bad"), {})]
    assert statuses == [200, rejected, 401]


def test_the_settings_name_a_key_check_only_where_there_are_keys() -> None:
    upstream = PracticeUpstream(9)
    assert "health_url" not in upstream.toml()
    upstream.set_keys("requesty", {"good": None})
    providers = tomllib.loads(upstream.toml())["providers"]
    assert {name for name, table in providers.items() if "health_url" in table} == {"requesty"}
    assert all(table["base_url"] == upstream.base_url(name) for name, table in providers.items())


async def test_a_key_sees_the_list_approved_for_it(client: Client, upstream: PracticeUpstream) -> None:
    upstream.set_keys("requesty", {"one": [requesty_row("acme/only")], "all": None})
    assert (await client.get("requesty", **key("one"))).ids == ["acme/only"]
    assert len((await client.get("requesty", **key("all"))).ids) == len((await client.get("requesty")).ids) > 1


async def test_a_compatible_server_that_requires_a_key_answers_401_without_one(
    client: Client, upstream: PracticeUpstream
) -> None:
    upstream.set_keys("practice", {"good": None}, required=True)
    assert (await client.get("practice")).status == 401
    assert (await client.get("practice", **key("good"))).status == 200


@pytest.mark.parametrize(
    ("envelope", "rows_of"),
    [
        ("data", lambda body: body["data"]),
        ("models", lambda body: body["models"]),
        ("items", lambda body: body["items"]),
        ("array", lambda body: body),
        ("null", lambda body: body["data"] or [openai_row("one")]),
    ],
)
async def test_a_compatible_server_wraps_its_list_as_told(
    client: Client, upstream: PracticeUpstream, envelope: Envelope, rows_of: Callable[[Any], Any]
) -> None:
    upstream.set_list("practice", [openai_row("one")])
    upstream.provider("practice").envelope = envelope
    assert [row["id"] for row in rows_of((await client.get("practice")).json)] == ["one"]


async def test_an_unchanged_list_is_answered_304_and_a_changed_one_in_full(
    client: Client, upstream: PracticeUpstream
) -> None:
    etag = (await client.get("openrouter")).headers["ETag"]
    again = await client.get("openrouter", **{"If-None-Match": etag})
    assert (again.status, again.body) == (304, b"")
    upstream.set_list("openrouter", [openrouter_row("acme/new")])
    assert (await client.get("openrouter", **{"If-None-Match": etag})).ids == ["acme/new"]


async def test_the_log_keeps_a_fingerprint_of_a_key_and_not_the_key(client: Client, upstream: PracticeUpstream) -> None:
    await client.get("requesty", "/models?a=1", Authorization="Bearer sk-secret")
    (seen,) = upstream.seen("requesty", "/models")
    assert seen.headers["Authorization"] == fingerprint("Bearer sk-secret")
    assert (seen.method, seen.path, seen.query) == ("GET", "/v1/models", {"a": "1"})
    assert "sk-secret" not in repr(upstream.log)


async def test_a_held_request_stays_in_flight_until_released(client: Client, upstream: PracticeUpstream) -> None:
    upstream.hold("openrouter", "/models")
    waiting = asyncio.create_task(client.get("openrouter"))
    await upstream.arrived(1, "openrouter", "/models")
    assert upstream.in_flight == 1
    assert not waiting.done()
    upstream.release("openrouter")
    assert (await waiting).status == 200


async def test_a_fault_ends_after_its_times_and_touches_its_path_alone(
    client: Client, upstream: PracticeUpstream
) -> None:
    upstream.set_fault("openrouter", Fault.SERVER_ERROR, path="/models", times=1)
    assert (await client.get("openrouter", "/key")).status == 401
    assert [(await client.get("openrouter")).status for _ in range(2)] == [500, 200]
    assert (await client.get("requesty")).status == 200


async def test_clear_mends_everything(client: Client, upstream: PracticeUpstream) -> None:
    upstream.set_fault("openrouter", Fault.HANG)
    upstream.hold("requesty")
    upstream.clear()
    assert [(await client.get(name)).status for name in PLAYED] == [200] * 3


async def test_a_stopped_upstream_refuses_and_comes_back_on_its_port(
    client: Client, upstream: PracticeUpstream
) -> None:
    await upstream.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.get("openrouter")
    await upstream.start()
    assert (await client.get("openrouter")).status == 200


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
    begun = time.monotonic()
    await upstream.stop()
    assert time.monotonic() - begun < 1
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
            return await asyncio.wait_for(reader.read(-1), 5)
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


async def test_the_control_endpoint_sets_faults_and_lists_and_shows_the_log() -> None:
    upstream = PracticeUpstream()
    await upstream.start(*routes(upstream))
    root = f"http://127.0.0.1:{upstream.port}"
    try:
        async with aiohttp.ClientSession(timeout=SECONDS) as session:
            await session.put(f"{root}/_list/openrouter", data=orjson.dumps([openrouter_row("acme/put")]))
            assert (await Client(session, upstream).get("openrouter")).ids == ["acme/put"]
            answer = await session.post(f"{root}/_control", json={"provider": "openrouter", "fault": "500"})
            assert await answer.json() == {"openrouter": ["500"]}
            assert (await Client(session, upstream).get("openrouter")).status == 500
            assert (await session.post(f"{root}/_control", json={"provider": "x", "fault": "nonsense"})).status == 400
            log = await (await session.get(f"{root}/_log")).json()
            assert [seen["path"] for seen in log] == ["/api/v1/models"] * 2
    finally:
        await upstream.stop()


def test_a_big_list_is_distinct_and_the_same_every_time() -> None:
    rows = big_list(500)
    assert len({row["id"] for row in rows}) == 500
    assert rows == big_list(500)


async def test_an_echoing_provider_repeats_the_key_in_bodies_errors_and_headers(client: Client) -> None:
    client.upstream.provider("practice").echoes = ("Authorization",)
    got = await client.get("practice", Authorization="Bearer made-up")
    assert got.ids[0] == "made-up-practice-large"
    assert (got.headers["ETag"], got.headers["X-Echo"]) == ('W/"made-up"', "Bearer made-up")
    client.upstream.set_fault("practice", Fault.SERVER_ERROR)
    failed = await client.get("practice", Authorization="Bearer made-up")
    assert failed.json["error"]["message"].startswith("made-up-")

"""A list is read whole: page by page, from one place, or not at all when nothing changed."""

import json
from collections.abc import Mapping
from hashlib import sha256

import pytest
from aiohttp import ClientSession
from aioresponses import aioresponses
from pydantic import SecretStr
from yarl import URL

from providers._kit.registry import adapters
from upstream import lists
from upstream.errors import Malformed, Unauthorized
from upstream.http import ReadLimits, Response, get
from upstream.lists import Call, ListVersion, fetch_list
from upstream.upstream import Upstream

BASE = "https://gateway.test/api/v1"
LIST = f"{BASE}/models?output_modalities=all"
ROUTER = Upstream(id="openrouter", name="OpenRouter", adapter=adapters()["openrouter"], base_url=BASE)
KEY = SecretStr("sk-made-up")


@pytest.fixture
def call(client: ClientSession) -> Call:
    async def once(url: str, headers: Mapping[str, str]) -> Response:
        return await get(client, url, headers, ReadLimits(timeout=5))

    return once


def page(*ids: str, following: str | None = None) -> str:
    return json.dumps({"data": [{"id": i} for i in ids], "links": {"next": following}})


async def test_one_page_is_one_call_with_its_validators_and_digest(answers: aioresponses, call: Call) -> None:
    answers.get(LIST, body=page("a"), headers={"ETag": 'W/"1"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"})
    fetched = await fetch_list(ROUTER, call, key=None)
    assert fetched.bodies == (page("a").encode(),)
    assert dict(fetched.version.conditions) == {
        "If-None-Match": 'W/"1"',
        "If-Modified-Since": "Thu, 01 Jan 2026 00:00:00 GMT",
    }
    assert len(fetched.version.digest) == sha256().digest_size


@pytest.mark.parametrize("value", ["\x01", 'W/"\x7f"', "x" * 1_001, "\x80"])
async def test_a_validator_that_cannot_be_sent_back_is_none(answers: aioresponses, call: Call, value: str) -> None:
    answers.get(LIST, body=page("a"), headers={"ETag": value, "Last-Modified": value})
    assert (await fetch_list(ROUTER, call, key=None)).version.conditions == ()


async def test_the_key_and_the_validators_are_sent(answers: aioresponses, call: Call) -> None:
    answers.get(LIST, status=304)
    conditions = {"If-None-Match": '"1"', "If-Modified-Since": "Thu, 01 Jan 2026 00:00:00 GMT"}
    known = ListVersion(digest=b"known", conditions=tuple(conditions.items()))
    fetched = await fetch_list(ROUTER, call, key=KEY, known=known)
    (sent,) = answers.requests["GET", URL(LIST)]
    wanted = {"Authorization": "Bearer sk-made-up", **conditions}
    assert {name: sent.kwargs["headers"][name] for name in wanted} == wanted
    assert (fetched.bodies, fetched.version) == ((), known)


async def test_unchanged_without_a_question_is_no_answer(answers: aioresponses, call: Call) -> None:
    answers.get(LIST, status=304)
    with pytest.raises(Malformed):
        await fetch_list(ROUTER, call, key=None)


async def test_all_pages_are_read_and_then_no_validators_kept(answers: aioresponses, call: Call) -> None:
    answers.get(LIST, body=page("a", following=f"{BASE}/models?offset=1"), headers={"ETag": '"1"'})
    answers.get(f"{BASE}/models?offset=1", body=page("b", following="/api/v1/models?offset=2"))
    answers.get(f"{BASE}/models?offset=2", body=page("c"))
    fetched = await fetch_list(ROUTER, call, key=None)
    assert len(fetched.bodies) == 3
    assert fetched.version.conditions == ()


async def test_the_same_rows_on_other_pages_have_another_digest(answers: aioresponses, call: Call) -> None:
    answers.get(LIST, body=page("a"))
    answers.get(LIST, body=page("b"))
    first, second = [(await fetch_list(ROUTER, call, key=None)).version.digest for _ in range(2)]
    assert first != second


async def test_a_last_page_is_decoded_only_where_it_may_name_another(answers: aioresponses, call: Call) -> None:
    for last in ('{"data": [], "links": {"next": null}}', '{"data": []}', "[]", '{"links": 7}', "<not decoded>"):
        answers.get(LIST, body=last)
        assert (await fetch_list(ROUTER, call, key=None)).bodies == (last.encode(),)


@pytest.mark.parametrize(
    "following",
    [
        LIST,
        "https://elsewhere.test/api/v1/models",
        "http://gateway.test/api/v1/models",
        "https://gateway.test:444/m",
        "http://[",
        "//gateway.test\u2100/m",
    ],
    ids=["itself", "another-host", "plain-http", "another-port", "no-address", "no-host-name"],
)
async def test_a_next_page_that_loops_or_lies_elsewhere_is_refused(
    answers: aioresponses, call: Call, following: str
) -> None:
    answers.get(LIST, body=page("a", following=following))
    with pytest.raises(Malformed):
        await fetch_list(ROUTER, call, key=KEY)
    assert len(answers.requests) == 1


async def test_pages_without_end_are_refused() -> None:
    count = 0

    async def endless(_: str, __: Mapping[str, str]) -> Response:
        nonlocal count
        count += 1
        body = page(str(count), following=f"/api/v1/models?page={count}").encode()
        return Response(status=200, body=body, headers={}, latency_ms=1.0)

    with pytest.raises(Malformed):
        await fetch_list(ROUTER, endless, key=None)
    assert count == lists.MAX_PAGES


async def test_pages_that_are_too_large_together_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MAX_BODY", 100)
    count = 0

    async def large(_: str, __: Mapping[str, str]) -> Response:
        nonlocal count
        count += 1
        body = page(str(count), "x" * 60, following=f"/api/v1/models?page={count}").encode()
        return Response(status=200, body=body, headers={}, latency_ms=1.0)

    with pytest.raises(Malformed):
        await fetch_list(ROUTER, large, key=None)
    assert count == 1


async def test_a_failed_page_fails_the_list(answers: aioresponses, call: Call) -> None:
    answers.get(LIST, body=page("a", following="/api/v1/models?offset=1"))
    answers.get(f"{BASE}/models?offset=1", status=401, body="who are you?")
    with pytest.raises(Unauthorized):
        await fetch_list(ROUTER, call, key=KEY)

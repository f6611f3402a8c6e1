"""A secret that an answer repeats is taken out, however JSON or a URL spells it."""

import json
import threading
from collections.abc import Callable
from urllib.parse import quote

import orjson
import pytest
from aiohttp import ClientSession, web

from tests.upstream.conftest import Serve
from upstream import echo, http
from upstream.echo import redact, secret_forms
from upstream.errors import Malformed
from upstream.http import ReadLimits, get

KEY = "sk-or/with+odd&'\"\\<signs>-0001"
SECRETS = secret_forms({"Authorization": f"Bearer {KEY}", "Accept": "application/json"})
SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": json.dumps,
    "with slashes escaped": lambda text: json.dumps(text).replace("/", r"\/"),
    "quoted for a URL": lambda text: json.dumps(quote(text, safe="")),
    "quoted in lower case": lambda text: json.dumps(quote(text, safe="").lower()),
    "every sign escaped": lambda text: f'"{"".join(f"{chr(92)}u{ord(sign):04x}" for sign in text)}"',
    "signs of HTML escaped": lambda text: (
        json.dumps(text).replace("&", r"\u0026").replace("<", r"\u003C").replace(">", r"\u003e").replace("'", r"\u0027")
    ),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_secret_is_taken_out_in_every_spelling(spelling: str) -> None:
    body = f'{{"id": "x", "text": [{SPELLINGS[spelling](KEY)}], "é": "\\u00e9"}}'.encode()
    assert json.loads(redact(body, SECRETS)) == {"id": "x", "text": ["[redacted]"], "é": "é"}


@pytest.mark.parametrize("body", [rb'{"a": "\\u0041 \u0026 \n \"", "b": "\u00e9"}', b"{}", b'"\\u00'])
def test_a_body_without_secrets_is_left_as_it_is(body: bytes) -> None:
    assert redact(body, SECRETS) is body
    assert redact(body, ()) is body


def test_a_backslash_before_what_looks_like_an_escape_stays_one() -> None:
    body = json.dumps({"path": r"C:\u0041", "key": KEY}).replace("&", r"\u0026").encode()
    assert json.loads(redact(body, SECRETS)) == {"path": r"C:\u0041", "key": "[redacted]"}


def test_a_backslash_that_is_itself_escaped_hides_no_escape_after_it() -> None:
    body = json.dumps({"path": "\\" + KEY}).replace("&", r"\u0026").replace("sk-", r"\u0073\u006b-").encode()
    assert json.loads(redact(body, SECRETS)) == {"path": "\\[redacted]"}


def test_a_body_of_more_escapes_than_can_be_searched_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(echo, "_MOST_ESCAPES", 10)
    assert redact(rb"\u0041" * 10, SECRETS) == rb"\u0041" * 10
    with pytest.raises(Malformed):
        redact(rb"\u0041" * 11, SECRETS)


@pytest.mark.parametrize(("size", "beside"), [(1_000, False), (200_000, True)])
async def test_a_big_answer_is_searched_beside_the_event_loop(
    client: ClientSession, serve: Serve, monkeypatch: pytest.MonkeyPatch, *, size: int, beside: bool
) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * size)

    searched_in: dict[int, int] = {}

    def search(text: bytes, secrets: tuple[bytes, ...]) -> bytes:
        searched_in[len(text)] = threading.get_ident()
        return redact(text, secrets)

    monkeypatch.setattr(http, "redact", search)
    await get(client, await serve(handler), {"Authorization": f"Bearer {KEY}"}, ReadLimits(timeout=5))
    assert (searched_in[size] != threading.get_ident()) is beside


LONG = 'sk-made-up/with"oddities\\0001'


async def test_what_an_answer_repeats_of_the_requests_secrets_is_gone(client: ClientSession, serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        said = {"whole": request.headers["Authorization"], "own": request.headers["X-Own"], "kept": "x"}
        return web.json_response(said, headers={"ETag": f'"{request.headers["X-Own"]}"', "X-Seen": "x"})

    headers = {"Authorization": f"Bearer {LONG}", "X-Own": "a-header-of-the-operator", "If-None-Match": "x" * 20}
    answer = await get(client, await serve(handler), headers, ReadLimits(timeout=5))
    assert orjson.loads(answer.body) == {"whole": "Bearer [redacted]", "own": "[redacted]", "kept": "x"}
    assert (answer.headers["etag"], answer.headers["x-seen"]) == ('"[redacted]"', "x")


async def test_a_placeholder_for_a_key_and_a_condition_are_no_secrets(client: ClientSession, serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.json_response({"id": "ollama/llama"}, headers={"ETag": request.headers["If-None-Match"]})

    headers = {"Authorization": "Bearer ollama", "If-None-Match": '"0123456789abcdef"'}
    answer = await get(client, await serve(handler), headers, ReadLimits(timeout=5))
    assert answer.body == b'{"id": "ollama/llama"}'
    assert answer.headers["etag"] == '"0123456789abcdef"'

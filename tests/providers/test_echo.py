"""A secret that an answer repeats is taken out, however JSON or a URL spells it."""

import json
from collections.abc import Callable
from urllib.parse import quote

import orjson
import pytest
from aiohttp import ClientSession, web

from providers._kit.echo import secrets_of, without
from providers._kit.http import get
from tests.providers.conftest import Serve

KEY = "sk-or/with+odd&'\"\\<signs>-0001"
SECRETS = secrets_of({"Authorization": f"Bearer {KEY}", "Accept": "application/json"})
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
    assert json.loads(without(body, SECRETS)) == {"id": "x", "text": ["[redacted]"], "é": "é"}


@pytest.mark.parametrize("body", [rb'{"a": "\\u0041 \u0026 \n \"", "b": "\u00e9"}', b"{}", b'"\\u00'])
def test_a_body_without_secrets_is_left_as_it_is(body: bytes) -> None:
    assert without(body, SECRETS) is body
    assert without(body, ()) is body


def test_a_backslash_before_what_looks_like_an_escape_stays_one() -> None:
    body = json.dumps({"path": r"C:\u0041", "key": KEY}).replace("&", r"\u0026").encode()
    assert json.loads(without(body, SECRETS)) == {"path": r"C:\u0041", "key": "[redacted]"}


LONG = 'sk-made-up/with"oddities\\0001'


async def test_what_an_answer_repeats_of_the_requests_secrets_is_gone(client: ClientSession, serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        said = {"whole": request.headers["Authorization"], "own": request.headers["X-Own"], "kept": "x"}
        return web.json_response(said, headers={"ETag": f'"{request.headers["X-Own"]}"', "X-Seen": "x"})

    headers = {"Authorization": f"Bearer {LONG}", "X-Own": "a-header-of-the-operator", "If-None-Match": "x" * 20}
    answer = await get(client, await serve(handler), headers=headers, timeout=5)
    assert orjson.loads(answer.body) == {"whole": "Bearer [redacted]", "own": "[redacted]", "kept": "x"}
    assert (answer.headers["etag"], answer.headers["x-seen"]) == ('"[redacted]"', "x")


async def test_a_placeholder_for_a_key_and_a_condition_are_no_secrets(client: ClientSession, serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.json_response({"id": "ollama/llama"}, headers={"ETag": request.headers["If-None-Match"]})

    headers = {"Authorization": "Bearer ollama", "If-None-Match": '"0123456789abcdef"'}
    answer = await get(client, await serve(handler), headers=headers, timeout=5)
    assert answer.body == b'{"id": "ollama/llama"}'
    assert answer.headers["etag"] == '"0123456789abcdef"'

"""Redirects are followed within the provider's own place alone, and not for ever."""

import pytest
from aiohttp import ClientSession, web

from tests.upstream.conftest import Serve
from upstream.errors import (
    Rejected,
)
from upstream.http import ReadLimits, get

KEY = {"Authorization": "Bearer sk-made-up"}


async def test_a_redirect_within_the_host_is_followed(client: ClientSession, serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.path == "/old":
            raise web.HTTPFound("/new")
        return web.Response(text=request.headers["Authorization"])

    answer = await get(client, f"{await serve(handler)}old", KEY, ReadLimits(timeout=5))
    assert answer.body == b"Bearer sk-made-up"


async def test_a_redirect_to_another_place_is_refused_and_never_sees_the_key(
    client: ClientSession, serve: Serve
) -> None:
    visits = 0

    async def thief(_: web.Request) -> web.Response:
        nonlocal visits
        visits += 1
        return web.Response(text="thanks")

    elsewhere = await serve(thief)

    async def handler(_: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(elsewhere)

    with pytest.raises(Rejected) as failed:
        await get(client, await serve(handler), KEY, ReadLimits(timeout=5))
    assert visits == 0
    assert elsewhere not in failed.value.message


@pytest.mark.parametrize("location", ["", "http://", "javascript:alert(1)", "//127.0.0.2/", "https://127.0.0.1/"])
async def test_a_redirect_to_nowhere_is_refused(client: ClientSession, serve: Serve, location: str) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": location})

    with pytest.raises(Rejected):
        await get(client, await serve(handler), KEY, ReadLimits(timeout=5))


async def test_redirects_without_end_are_refused(client: ClientSession, serve: Serve) -> None:
    visits = 0

    async def handler(_: web.Request) -> web.Response:
        nonlocal visits
        visits += 1
        raise web.HTTPFound(f"/{visits}")

    with pytest.raises(Rejected):
        await get(client, await serve(handler), {}, ReadLimits(timeout=5))
    assert visits == 4

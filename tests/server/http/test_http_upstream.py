"""Why the front is our own: what Strawberry's does. A failure here means that it was mended and that less is needed."""

from collections.abc import Callable

import httpx
import pytest
import strawberry
from strawberry.asgi import GraphQL
from strawberry.extensions import MaxAliasesLimiter, max_aliases
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL

from tests.small.over_http import EVENTS, GRAPHQL
from tests.small.schema import Context, Query, Source, small_schema


class Strawberrys(GraphQL[Context, None]):
    """Strawberry's own front over the small schema."""

    def __init__(self) -> None:
        super().__init__(small_schema(), subscription_protocols=[GRAPHQL_SSE_PROTOCOL])
        self.source = Source()

    async def get_context(self, *_: object, **__: object) -> Context:
        return Context("caller", self.source)


async def post(content: bytes, accept: str = GRAPHQL, app: Strawberrys | None = None) -> httpx.Response:
    transport = httpx.ASGITransport(app or Strawberrys(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://strawberry.example") as client:
        headers = {"content-type": "application/json", "accept": accept}
        return await client.post("/", content=content, headers=headers)


@pytest.mark.parametrize("body", [b"7", b'"x"', b"null", b'{"query":"\xff\xfe"}'])
async def test_strawberry_fails_on_a_body_that_is_no_request(body: bytes) -> None:
    assert (await post(body)).status_code == 500


async def test_strawberry_runs_the_first_of_several_operations_when_none_is_named() -> None:
    app = Strawberrys()
    await post(b'{"query":"mutation A { publish } mutation B { publish }"}', app=app)
    assert app.source.mutations == 1


async def test_strawberry_answers_json_whatever_is_acceptable() -> None:
    assert (await post(b'{"query":"{__typename}"}', "image/png")).status_code == 200
    assert (await post(b'{"query":"{nope}"}')).status_code == 200


async def test_strawberry_ends_the_frames_of_events_in_crlf_and_gives_them_no_id() -> None:
    response = await post(b'{"query":"subscription { count(target: 1) }"}', EVENTS)
    assert "\r\n" in response.text
    assert "id:" not in response.text


def test_strawberrys_limiters_count_a_fragment_as_often_as_it_is_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = 0
    count: Callable[..., int] = max_aliases.count_fields_with_alias

    def counting(*arguments: object) -> int:
        nonlocal counted
        counted += 1
        return count(*arguments)

    monkeypatch.setattr(max_aliases, "count_fields_with_alias", counting)
    schema = strawberry.Schema(Query, extensions=[lambda: MaxAliasesLimiter(max_alias_count=10)])
    links = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(8))
    schema.execute_sync(f"{{ ...F0 }} {links} fragment F8 on Query {{ __typename }}")
    assert counted > 2**8

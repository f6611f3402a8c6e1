"""gql, the Python client, with each of its transports."""

import asyncio
from typing import Any

import pytest
from gql import Client, GraphQLRequest
from gql.transport import AsyncTransport
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.aiohttp_websockets import AIOHTTPWebsocketsTransport
from gql.transport.exceptions import TransportQueryError, TransportServerError
from gql.transport.httpx import HTTPXAsyncTransport, HTTPXTransport
from gql.transport.requests import RequestsHTTPTransport
from gql.transport.websockets import WebsocketsTransport

from tests.clients.conftest import REPRICED, SEEING, Reprice
from tests.clients.installed import OPERATIONS
from tests.endtoend.process import ADMIN_TOKEN, PATIENCE, ServerProcess

REFRESH = GraphQLRequest('mutation { refreshCatalogue(provider: "openrouter") { results { outcome } } }')

HTTP = [AIOHTTPTransport, HTTPXAsyncTransport, HTTPXTransport, RequestsHTTPTransport]
SOCKETS = [WebsocketsTransport, AIOHTTPWebsocketsTransport]
EACH = pytest.mark.parametrize("transport", [*HTTP, *SOCKETS])

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]


def client(server: ServerProcess, transport: Any, token: str | None = None, *, schema: bool = False) -> Client:
    url = server.url.replace("http", "ws", 1) if transport in SOCKETS else server.url
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Client(transport=transport(url=f"{url}/graphql", headers=headers), fetch_schema_from_transport=schema)


def operation(name: str, **variables: object) -> GraphQLRequest:
    return GraphQLRequest(OPERATIONS.read_text(), operation_name=name, variable_values=variables)


async def ask(client: Client, request: GraphQLRequest) -> Any:
    if isinstance(client.transport, AsyncTransport):
        return await client.execute_async(request)
    return await asyncio.to_thread(client.execute, request)


@EACH
async def test_a_query_with_variables_is_answered(server: ServerProcess, transport: type) -> None:
    data = await ask(client(server, transport), operation("Pick", provider=["openrouter"], capability="VISION"))
    assert {model["name"] for model in data["models"]} == SEEING


@EACH
async def test_the_schema_that_the_client_fetches_knows_the_contract(server: ServerProcess, transport: type) -> None:
    introspecting = client(server, transport, schema=True)
    await ask(introspecting, GraphQLRequest("{ __typename }"))
    assert introspecting.schema
    assert introspecting.schema.subscription_type
    assert "catalogueChanged" in introspecting.schema.subscription_type.fields


@EACH
async def test_an_error_comes_with_its_code(server: ServerProcess, transport: type) -> None:
    with pytest.raises(TransportQueryError) as refused:
        await ask(client(server, transport), operation("Pick", provider=["nobody"]))
    assert refused.value.errors
    assert refused.value.errors[0]["extensions"]["code"] == "UNKNOWN_PROVIDER"


@EACH
async def test_a_mutation_is_for_admins(server: ServerProcess, transport: type) -> None:
    with pytest.raises(TransportQueryError) as refused:
        await ask(client(server, transport), REFRESH)
    assert refused.value.errors
    assert refused.value.errors[0]["extensions"]["code"] == "UNAUTHENTICATED"
    data = await ask(client(server, transport, ADMIN_TOKEN), REFRESH)
    assert data["refreshCatalogue"]["results"] == [{"outcome": "UNCHANGED"}]


@pytest.mark.parametrize("transport", SOCKETS)
async def test_a_subscription_brings_what_changes(server: ServerProcess, reprice: Reprice, transport: type) -> None:
    async with client(server, transport) as session:
        since = (await session.execute(operation("Now")))["catalogue"]["cursor"]
        events = session.subscribe(operation("Follow", since=since))
        coming = asyncio.ensure_future(anext(events))
        price = await reprice()
        event = (await asyncio.wait_for(coming, PATIENCE))["catalogueChanged"]
        assert (event["model"]["id"], event["after"]["input"]) == (REPRICED, pytest.approx(price))
        await events.aclose()


async def test_multipart_subscriptions_are_refused_at_once(server: ServerProcess) -> None:
    """Over HTTP, gql follows subscriptions as multipart only, which the server does not speak."""
    async with client(server, AIOHTTPTransport) as session:
        with pytest.raises(TransportServerError, match="406"):
            await anext(session.subscribe(operation("Follow")))

"""The web's rules over the real server: strict headers everywhere, listed origins alone, nothing open by chance."""

import hashlib
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.endtoend.process import QueryError, ServerProcess

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]

APP, STRANGER = "https://app.example", "https://evil.example"
STRICT = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
TEXT = "{ __typename }"
SCHEMA = "{ __schema { queryType { name } } }"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    """A server as it comes, but for one listed origin."""
    toml = f'cors_origins = ["{APP}"]'
    async with ServerProcess(tmp_path_factory.mktemp("web"), toml) as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def closed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    """A server that shows its schema to nobody, GraphiQL to all, and runs two documents."""
    folder = tmp_path_factory.mktemp("closed")
    (folder / "documents.json").write_text(json.dumps({_hash(text): text for text in (TEXT, SCHEMA)}))
    toml = f'introspection = false\ngraphiql = true\nallowed_documents = "{folder}/documents.json"'
    async with ServerProcess(folder, toml) as started:
        yield started


async def _headers(server: ServerProcess, method: str, path: str, **headers: str) -> tuple[int, dict[str, str]]:
    async with server.session.request(method, path, headers=headers) as answer:
        await answer.read()
        return answer.status, {name.lower(): value for name, value in answer.headers.items()}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/livez", 200),
        ("GET", "/readyz", 200),
        ("GET", "/api/models", 200),
        ("GET", "/api/models?provider=x", 400),
        ("GET", "/graphql?query={__typename}", 200),
        ("GET", "/graphql", 422),
        ("DELETE", "/graphql", 405),
        ("POST", "/api/models", 405),
        ("GET", "/nowhere", 404),
        ("GET", "/graphiql", 404),
        ("GET", "/docs", 404),
        ("GET", "/../../etc/passwd", 404),
        ("GET", "/%2e%2e/admin-token", 404),
        ("POST", "/graphql/", 404),
        ("TRACE", "/", 405),
        ("OPTIONS", "/graphql", 405),
    ],
)
async def test_every_answer_is_strict_and_names_no_software(
    server: ServerProcess, method: str, path: str, status: int
) -> None:
    found, headers = await _headers(server, method, path)
    assert found == status
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert STRICT.items() <= headers.items()
    assert "Origin" in headers["vary"]
    assert not {"server", "set-cookie", "x-powered-by", "access-control-allow-origin"} & headers.keys()


async def test_an_answer_to_a_crash_is_strict_too(tmp_path: Path) -> None:
    """A store that lost its table is what nobody foresaw; the log has the id that the client was given."""
    async with ServerProcess(tmp_path) as server:
        with closing(sqlite3.connect(server.data_dir / "catalogue.db")) as store:
            store.execute("DROP TABLE audit")
        with pytest.raises(QueryError, match="Its id in the log is") as caught:
            await server.query("{ auditLog { nodes { at } } }", token="practice-admin-token")
        error_id = str(caught.value).rpartition(" ")[2].rstrip(".")
        await server.logged(error_id)
    assert "sqlite" not in str(caught.value).lower()


async def test_pages_of_listed_origins_may_read_answers_and_open_sockets(server: ServerProcess) -> None:
    _, headers = await _headers(server, "GET", "/api/models", Origin=APP)
    assert headers["access-control-allow-origin"] == APP
    assert "access-control-allow-credentials" not in headers
    asked = {
        "Origin": APP,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-provider-keys",
    }
    status, headers = await _headers(server, "OPTIONS", "/graphql", **asked)
    assert (status, headers["access-control-allow-origin"]) == (204, APP)
    async with server.session.ws_connect("/graphql", origin=APP, protocols=["graphql-transport-ws"]) as socket:
        await socket.send_json({"type": "connection_init"})
        assert (await socket.receive_json())["type"] == "connection_ack"


@pytest.mark.parametrize(
    "origin", [STRANGER, "null", APP.replace("https", "http"), f"{APP}.evil.example", f"{APP}:8443"]
)
async def test_pages_of_other_origins_may_not(server: ServerProcess, origin: str) -> None:
    _, headers = await _headers(server, "GET", "/api/models", Origin=origin)
    assert "access-control-allow-origin" not in headers
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    assert (await _headers(server, "OPTIONS", "/graphql", **asked))[0] == 403
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await server.session.ws_connect("/graphql", origin=origin, protocols=["graphql-transport-ws"])
    assert refused.value.status == 403
    assert refused.value.headers is not None
    assert STRICT.items() <= {name.lower(): value for name, value in refused.value.headers.items()}.items()


async def test_the_schema_may_be_read_but_is_not_spelt_out_by_errors(server: ServerProcess) -> None:
    assert (await server.query(SCHEMA))["__schema"]["queryType"]["name"] == "Query"
    for document in ("{ modells { id } }", '{ models(provder: "x") { id } }', "{ models(status: AVAILABL) { id } }"):
        with pytest.raises(QueryError) as caught:
            await server.query(document)
        assert "mean" not in str(caught.value)


async def test_where_documents_are_listed_nothing_else_runs(closed: ServerProcess) -> None:
    assert await closed.query(TEXT) == {"__typename": "Query"}
    by_hash = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": _hash(TEXT)}}}
    async with closed.session.post("/graphql", json=by_hash) as answer:
        assert (await answer.json())["data"] == {"__typename": "Query"}
    for document in (
        "{ __typename  }",
        "mutation { refreshCatalogue { revision } }",
    ):
        with pytest.raises(QueryError) as caught:
            await closed.query(document)
        assert caught.value.codes == ["PERSISTED_QUERY_ONLY"]
    new = {"query": "{ a: __typename }", "extensions": {"persistedQuery": {"version": 1, "sha256Hash": _hash(TEXT)}}}
    async with closed.session.post("/graphql", json=new) as answer:
        assert "errors" in await answer.json()
    async with closed.session.ws_connect("/graphql", protocols=["graphql-transport-ws"]) as socket:
        await socket.send_json({"type": "connection_init"})
        await socket.receive_json()
        await socket.send_json({"type": "subscribe", "id": "1", "payload": {"query": "{ a: __typename }"}})
        assert (await socket.receive_json())["payload"][0]["extensions"]["code"] == "PERSISTED_QUERY_ONLY"


async def test_introspection_and_graphiql_are_switches(closed: ServerProcess) -> None:
    status, headers = await _headers(closed, "GET", "/graphiql")
    assert status == 200
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    with pytest.raises(QueryError) as caught:
        await closed.query(SCHEMA)
    assert set(caught.value.codes) == {"GRAPHQL_VALIDATION_FAILED"}

"""graphql-transport-ws over real sockets: who may connect, what each message does, and what ends with what.

It is long because the protocol's rules are told one by one, in the order of a connection's life.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.typing import Subprotocol

from catalogue.errors import RateLimited, Unauthenticated
from server.http.socket_service import SocketLimits
from server.wire.connection_limits import ConnectionLimits
from server.wire.uvicorn_websocket import PunctualWebSocket
from tests.server.wire.test_slow_connections import Clock, protocol_of
from tests.small.over_sockets import SocketWorld, world_of_sockets
from tests.small.schema import SECRET


@pytest.fixture
async def world() -> AsyncIterator[SocketWorld]:
    async with world_of_sockets() as running:
        yield running


QUERY = {"query": "{hello}"}


NOT_MESSAGES: list[object] = [
    "{nope",
    "[]",
    '"ping"',
    "null",
    "7",
    b"\x01\x02",
    b'{"type":"ping"}',
    {"id": "1"},
    {"type": None},
    {"type": "flibble"},
    {"type": "next", "id": "1", "payload": {}},
    {"type": "connection_ack"},
    {"type": "ping", "payload": "x"},
    {"type": "pong", "payload": []},
    {"type": "complete"},
    {"type": "complete", "id": 7},
    {"type": "subscribe", "payload": QUERY},
    {"type": "subscribe", "id": "", "payload": QUERY},
    {"type": "subscribe", "id": 1, "payload": QUERY},
    {"type": "subscribe", "id": {}, "payload": QUERY},
    {"type": "subscribe", "id": "1"},
    {"type": "subscribe", "id": "1", "payload": None},
    {"type": "subscribe", "id": "1", "payload": [QUERY]},
    {"type": "subscribe", "id": "1", "payload": {}},
    {"type": "subscribe", "id": "1", "payload": {"query": 7}},
    {"type": "subscribe", "id": "1", "payload": {"query": None}},
    {"type": "subscribe", "id": "1", "payload": {**QUERY, "variables": "x"}},
    {"type": "subscribe", "id": "1", "payload": {**QUERY, "variables": [1]}},
    {"type": "subscribe", "id": "1", "payload": {**QUERY, "operationName": 7}},
    {"type": "subscribe", "id": "1", "payload": {**QUERY, "extensions": "x"}},
]


async def test_what_is_no_message_closes_the_socket_with_4400(world: SocketWorld, subtests: pytest.Subtests) -> None:
    for message in NOT_MESSAGES:
        with subtests.test(message=message):
            async with world.socket() as socket:
                await socket.send(message)
                assert await socket.close_code() == 4400


async def test_a_message_before_the_acknowledgement_is_unauthorized(world: SocketWorld) -> None:
    async with world.socket(init=False) as socket:
        await socket.subscribe("1", "{hello}")
        assert await socket.close_code() == 4401


async def test_without_connection_init_the_socket_closes_with_4408() -> None:
    async with world_of_sockets(SocketLimits(init_seconds=0.05)) as world, world.socket(init=False) as socket:
        assert await socket.close_code() == 4408


async def test_a_second_connection_init_closes_with_4429(world: SocketWorld) -> None:
    async with world.socket() as socket:
        await socket.send({"type": "connection_init"})
        assert await socket.close_code() == 4429


async def test_an_id_in_use_closes_with_4409(world: SocketWorld) -> None:
    async with world.socket() as socket:
        await socket.subscribe("1", "subscription{events}")
        await socket.subscribe("1", "{hello}")
        assert await socket.close_code() == 4409
        await world.source.until_live(0)


async def test_another_subprotocol_closes_with_4406(world: SocketWorld) -> None:
    async with connect(world.url, compression=None) as connection:
        await connection.wait_closed()
        assert connection.close_code == 4406


async def test_the_subprotocol_is_chosen_among_unknown_ones(world: SocketWorld) -> None:
    offered = [Subprotocol("graphql-ws"), Subprotocol("graphql-transport-ws")]
    async with connect(world.url, subprotocols=offered, compression=None) as connection:
        assert connection.subprotocol == "graphql-transport-ws"


async def test_compression_is_not_agreed_to(world: SocketWorld) -> None:
    """A compressor's window for each of thousands of sockets would cost more than it saves."""
    async with connect(world.url, subprotocols=[Subprotocol("graphql-transport-ws")]) as connection:
        assert connection.response is not None
        assert "Sec-WebSocket-Extensions" not in connection.response.headers


async def test_this_host_by_another_scheme_is_a_foreign_origin(world: SocketWorld) -> None:
    origin = world.url.replace("ws://", "https://").removesuffix("/graphql")
    with pytest.raises(InvalidStatus):
        async with world.socket(origin=origin):
            pass


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[", "http://127.0.0.1"])
async def test_a_foreign_origin_is_refused_at_the_handshake(
    world: SocketWorld, origin: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Which is no error of the server's."""
    with pytest.raises(InvalidStatus) as refused:
        async with world.socket(origin=origin):
            pass
    assert refused.value.response.status_code == 403
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_this_host_and_the_allowed_origins_may_connect(world: SocketWorld) -> None:
    for origin in (world.url.replace("ws://", "http://").removesuffix("/graphql"), "https://friend.example"):
        async with world.socket(origin=origin) as socket:
            await socket.subscribe("1", "{hello}")
            assert [message["type"] for message in await socket.read_all("1")] == ["next", "complete"]


async def test_a_ping_is_answered_at_any_time_with_its_payload(world: SocketWorld) -> None:
    async with world.socket(init=False) as socket:
        await socket.send({"type": "ping", "payload": {"a": 1}})
        assert await socket.read() == {"type": "pong", "payload": {"a": 1}}
        await socket.send({"type": "pong"})
        await socket.send({"type": "connection_init", "payload": None})
        assert await socket.read() == {"type": "connection_ack"}


async def test_queries_and_mutations_give_one_result_and_complete(world: SocketWorld) -> None:
    async with world.socket() as socket:
        await socket.subscribe("q", "query($n:String!){hello(name:$n)}", variables={"n": "you"}, operationName=None)
        assert await socket.read_all("q") == [
            {"id": "q", "type": "next", "payload": {"data": {"hello": "hello you"}}},
            {"id": "q", "type": "complete"},
        ]
        await socket.subscribe("q", "mutation{publish(number:7)}")
        assert (await socket.read_all("q"))[0]["payload"] == {"data": {"publish": 7}}


async def test_the_operation_name_chooses_the_operation(world: SocketWorld) -> None:
    async with world.socket() as socket:
        await socket.subscribe("1", "query A{a:hello} query B{b:hello}", operationName="B")
        assert (await socket.read_all("1"))[0]["payload"] == {"data": {"b": "hello world"}}


@pytest.mark.parametrize(
    "payload",
    [
        {"query": "{{"},
        {"query": ""},
        {"query": "{nope}"},
        {"query": "query A{hello}", "operationName": "B"},
        {"query": "query A{hello} query B{hello}"},
        {"query": "query($n:String!){hello(name:$n)}", "variables": {"n": 7}},
    ],
    ids=str,
)
async def test_an_operation_that_cannot_run_ends_in_an_error_of_its_own(
    world: SocketWorld, payload: dict[str, object]
) -> None:
    async with world.socket() as socket:
        await socket.subscribe("other", "subscription{events}")
        await world.source.until_live(1)
        await socket.send({"id": "1", "type": "subscribe", "payload": payload})
        (message,) = await socket.read_all("1")
        assert message["type"] == "error"
        assert message["payload"][0]["message"]
        world.source.publish(1)
        assert (await socket.read())["id"] == "other"


async def test_an_unexpected_error_of_a_field_is_masked(world: SocketWorld) -> None:
    async with world.socket() as socket:
        await socket.subscribe("1", "{boom}")
        result, _ = await socket.read_all("1")
        assert "secret" not in str(result)
        assert [str(error) for error, _ in world.reported] == [SECRET]


async def test_a_finite_subscription_gives_its_events_in_order_then_completes(world: SocketWorld) -> None:
    async with world.socket() as socket:
        await socket.subscribe("1", "subscription{count(target:3)}")
        *results, last = await socket.read_all("1")
        assert [result["payload"]["data"]["count"] for result in results] == [0, 1, 2]
        assert last == {"id": "1", "type": "complete"}


async def test_the_clients_complete_stops_the_source_and_frees_the_id(world: SocketWorld) -> None:
    async with world.socket() as socket:
        await socket.subscribe("1", "subscription{events}")
        await world.source.until_live(1)
        await socket.send({"id": "1", "type": "complete"})
        await socket.send({"id": "unknown", "type": "complete"})
        await socket.subscribe("1", "{hello}")
        assert [message["type"] for message in await socket.read_all("1")] == ["next", "complete"]
        await world.source.until_live(0)


async def test_a_dropped_socket_stops_all_its_sources(world: SocketWorld) -> None:
    async with world.socket() as socket:
        for number in range(10):
            await socket.subscribe(str(number), "subscription{events}")
        await world.source.until_live(10)
        socket.connection.transport.abort()
        await world.source.until_live(0)


async def test_one_operation_too_many_gets_an_error_and_the_socket_stays_open() -> None:
    async with world_of_sockets(SocketLimits(operations=3)) as world, world.socket() as socket:
        for number in range(4):
            await socket.subscribe(str(number), "subscription{events}")
        (refused,) = await socket.read_all("3")
        assert refused["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
        await world.source.until_live(3)
        await socket.send({"id": "0", "type": "complete"})
        await socket.subscribe("3", "{hello}")
        assert [message["type"] for message in await socket.read_all("3")] == ["next", "complete"]


async def test_a_message_beyond_the_limit_closes_with_1009() -> None:
    limits = ConnectionLimits(message_bytes=1_000)
    async with world_of_sockets(connection_limits=limits) as world, world.socket() as socket:
        await socket.subscribe("1", "{hello} #" + "x" * 1_000)
        assert await socket.close_code() == 1009


async def test_text_that_is_not_utf_8_closes_with_1007(world: SocketWorld) -> None:
    async with world.socket() as socket:
        socket.connection.transport.write(Frame(Opcode.TEXT, b"\xff").serialize(mask=True))
        assert await socket.close_code() == 1007


async def test_the_payload_of_connection_init_tells_who_connects(world: SocketWorld) -> None:
    async with world.socket(init=False) as socket:
        await socket.send({"type": "connection_init", "payload": {"authorization": "Bearer t"}})
        await socket.read()
        assert world.payloads == [{"authorization": "Bearer t"}]


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (Unauthenticated("This token is not known."), 4403),
        (RateLimited("Too many sockets.", retry_after=5), 1013),
        (ValueError("a secret of the server"), 4500),
    ],
    ids=str,
)
async def test_a_refused_caller_is_told_so_by_the_close_code(world: SocketWorld, refusal: Exception, code: int) -> None:
    world.refusal = refusal
    async with world.socket(init=False) as socket:
        await socket.send({"type": "connection_init"})
        assert await socket.close_code() == code
        assert "secret" not in str(socket.connection.close_reason)


@pytest.mark.parametrize("depth", [254, 1_000])
async def test_a_ping_nested_too_deeply_to_be_answered_closes_the_socket_with_4400(
    world: SocketWorld, depth: int
) -> None:
    async with world.socket() as socket:
        await socket.send('{"type":"ping","payload":{"a":' + "[" * depth + "]" * depth + "}}")
        assert await socket.close_code() == 4400
    assert world.reported == []


async def test_messages_of_one_packet_do_not_hold_the_loop_together(world: SocketWorld) -> None:
    """The first is answered before the last is read, so others are served in between too."""
    async with world.socket() as socket:
        socket.send_at_once({"id": "1", "type": "subscribe", "payload": QUERY}, {"type": "ping"}, {"type": "flibble"})
        assert (await socket.read())["type"] in {"next", "pong"}
        assert (await socket.read())["type"] in {"next", "complete"}
        assert await socket.close_code() == 4400


async def test_a_long_stream_lets_others_have_the_loop(world: SocketWorld) -> None:
    async with world.socket() as busy, world.socket() as other:
        await busy.subscribe("1", "subscription{count(target:1000)}")
        await busy.read()
        await other.subscribe("1", "{hello}")
        await other.read_all("1")
        assert world.source.counted < 1_000


async def test_the_time_for_connection_init_ends_with_it() -> None:
    async with world_of_sockets(SocketLimits(init_seconds=0.1)) as world, world.socket() as socket:
        loop = asyncio.get_running_loop()
        later = loop.time() + 0.2
        while loop.time() < later:
            await socket.send({"type": "ping"})
            assert await socket.read() == {"type": "pong"}


@pytest.mark.parametrize(
    ("refusal", "code"),
    [(RateLimited("Slow down.", retry_after=5), "RATE_LIMITED"), (ValueError("a secret of the server"), "INTERNAL")],
    ids=str,
)
async def test_what_befalls_one_operation_ends_that_operation_alone(
    world: SocketWorld, refusal: Exception, code: str
) -> None:
    async with world.socket() as socket:
        world.operation_refusal = refusal
        await socket.subscribe("1", "{hello}")
        (error,) = await socket.read_all("1")
        assert error["payload"][0]["extensions"]["code"] == code
        assert "secret" not in str(error)
        world.operation_refusal = None
        await socket.subscribe("1", "{hello}")
        assert [message["type"] for message in await socket.read_all("1")] == ["next", "complete"]


async def test_a_refusal_is_told_before_anything_else_is_read_even_to_who_completes_first(world: SocketWorld) -> None:
    async with world.socket() as socket:
        world.decides.clear()
        world.operation_refusal = RateLimited("later", retry_after=1)
        subscribe = {"id": "1", "type": "subscribe", "payload": QUERY}
        socket.send_at_once(subscribe, {"id": "1", "type": "complete"}, {"type": "ping"})
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await socket.connection.recv()
        world.decides.set()
        assert [(await socket.read())["type"] for _ in range(2)] == ["error", "pong"]


async def test_nothing_of_what_a_lost_socket_sent_is_read() -> None:
    protocol = protocol_of(PunctualWebSocket, Clock())
    protocol.queue.put_nowait({"type": "websocket.receive", "text": "{}"})
    protocol.connection_lost(None)
    assert (await protocol.receive())["type"] == "websocket.disconnect"


async def test_messages_that_start_and_end_nothing_are_read_at_a_pace() -> None:
    limits = SocketLimits(idle_messages=5, idle_interval=3_600)
    async with world_of_sockets(limits) as world, world.socket() as socket, world.socket() as other:
        for _ in range(10):
            await socket.send({"type": "ping"})
        assert [await socket.read() for _ in range(6)] == [{"type": "pong"}] * 6
        for number in range(10):
            await other.subscribe(str(number), "{hello}")
            await other.read_all(str(number))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await socket.connection.recv()

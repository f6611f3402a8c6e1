"""The messages of graphql-transport-ws: the client's read strictly, the server's written around an answer's bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from execution.answer import Answer
from execution.request import BadRequest, GraphQLRequest, parse_request
from server.callers.provider_keys import names_each_once

CONNECTION_ACK = '{"type":"connection_ack"}'


class BadMessage(Exception):
    """The text is not a message of the protocol; `str` gives the reason, which is safe to show."""


@dataclass(frozen=True, slots=True)
class ConnectionInit:
    """The client's first message; its payload may hold tokens and keys, so it is kept out of `repr`."""

    payload: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ping:
    """Are you there? The payload comes back in the pong."""

    payload: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Pong:
    """An answer to a ping, or a sign of life that nobody asked for."""

    payload: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Run an operation of any kind under this id."""

    id: str
    request: GraphQLRequest


@dataclass(frozen=True, slots=True)
class Complete:
    """Stop the operation of this id."""

    id: str


ClientMessage = ConnectionInit | Ping | Pong | Subscribe | Complete


def read_message(text: str) -> ClientMessage:
    """Read one frame's text.

    Raises:
        BadMessage: it is not JSON, not an object, of no type that a client may send, or a property has the wrong type.
    """
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadMessage("Message is not JSON") from None
    if not isinstance(message, dict):
        raise BadMessage("Message is not an object")
    match message.get("type"):
        case "connection_init":
            payload = _payload(message) or {}
            if "providerKeys" in payload and not names_each_once(text):
                raise BadMessage("A message with providerKeys must have each name once")
            return ConnectionInit(payload)
        case "ping":
            return Ping(_payload(message))
        case "pong":
            return Pong(_payload(message))
        case "subscribe":
            return _subscribe(message)
        case "complete":
            return Complete(_id(message))
        case _:
            raise BadMessage("Message has no type that a client may send")


def next_message(operation_id: str, answer: Answer) -> str:
    """One result of an operation that ran; the answer's bytes are taken as they are."""
    return f'{{"id":{_json(operation_id)},"type":"next","payload":{answer.body.decode()}}}'


def error_message(operation_id: str, answer: Answer) -> str:
    """The end of an operation that did not run: the errors of its answer, which has nothing else."""
    return _json({"id": operation_id, "type": "error", "payload": orjson.loads(answer.body)["errors"]})


def complete_message(operation_id: str) -> str:
    """The end of an operation that ran."""
    return _json({"id": operation_id, "type": "complete"})


def pong_message(payload: Mapping[str, Any] | None) -> str:
    """The answer to a ping, with its payload.

    Raises:
        BadMessage: the payload has more values within values than can be written; more can be read.
    """
    try:
        return _json({"type": "pong"} if payload is None else {"type": "pong", "payload": payload})
    except orjson.JSONEncodeError:
        raise BadMessage("The payload is nested too deeply") from None


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _payload(message: Mapping[str, Any]) -> Mapping[str, Any] | None:
    payload = message.get("payload")
    if payload is None or isinstance(payload, dict):
        return payload
    raise BadMessage("The payload is not an object")


def _id(message: Mapping[str, Any]) -> str:
    operation_id = message.get("id")
    if isinstance(operation_id, str) and operation_id:
        return operation_id
    raise BadMessage("The id is not a non-empty string")


def _subscribe(message: Mapping[str, Any]) -> Subscribe:
    try:
        return Subscribe(_id(message), parse_request(message.get("payload")))
    except BadRequest as error:
        raise BadMessage(error.message) from None

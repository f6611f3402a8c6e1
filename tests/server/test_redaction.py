"""Redaction: no secret survives in any record, whatever it stands in, and no value can forge a record."""

import asyncio
import json
import logging
import string
import sys
import threading
from collections.abc import Iterator
from contextvars import copy_context
from types import SimpleNamespace

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from server.logging import configure
from server.redaction import GONE, MAX_TEXT, Redactor, begin_connection, redact_in_connection
from tests.effort import effort

KEYS = st.text(st.sampled_from(string.ascii_letters + string.digits + string.punctuation), min_size=12, max_size=80)


def _told(record: dict[str, object], redactor: Redactor | None = None) -> str:
    return repr((redactor or Redactor())(None, "info", record))


def _text(redactor: Redactor, text: str) -> str:
    return str(redactor(None, "info", {"text": text})["text"])


def _error(message: str) -> Exception:
    try:
        try:
            raise ValueError(message)  # noqa: TRY301 - a chain with tracebacks is wanted
        except ValueError as cause:
            raise RuntimeError(f"because of {message}") from cause
    except RuntimeError as error:
        return error


@given(KEYS)
def test_a_registered_secret_survives_nowhere(key: str) -> None:
    redactor = Redactor()
    redactor.register([SecretStr(key)])
    record: dict[str, object] = {
        "event": f"asked with {key}.",
        "url": f"https://host/{key}?a={key}",
        "nested": [{f"name {key}": 1, "a": ({"b": {key}},)}, key.encode(), SecretStr(key)],
        "json": json.dumps({"k": key}),
        "shown": repr({"k": key}),
        "error": _error(key),
        "exc_info": _error(key),
    }
    told = redactor(None, "info", record)
    assert key not in json.dumps(told, ensure_ascii=False)
    for text in (told["event"], told["url"], told["json"], told["shown"], told["error"], told["exception"]):
        assert key not in text


@given(KEYS)
def test_a_carried_key_is_gone_while_it_is_carried(key: str) -> None:
    redactor = Redactor()

    def request() -> str:
        begin_connection()
        redact_in_connection([key])
        return _text(redactor, f"upstream said {key} is bad")

    assert key not in copy_context().run(request)


async def test_what_one_task_of_a_connection_carries_is_gone_from_the_others_records() -> None:
    redactor = Redactor()

    async def acknowledge() -> None:
        redact_in_connection(["canary-caller-key"])

    async def operate() -> str:
        return _text(redactor, "failed with canary-caller-key")

    async def connection() -> str:
        begin_connection()
        await asyncio.create_task(acknowledge())
        return await asyncio.create_task(operate())

    assert "canary" not in await asyncio.create_task(connection())
    assert "canary" in await asyncio.create_task(operate())


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("key sk-or-v1-abcdefghijkl is bad", "abcdefgh"),
        ("rqy_abcdefghijkl", "abcdefgh"),
        ("Authorization: Bearer abc", "abc"),
        ("Authorization: Basic dXNlcjpwdw==", "dXNlcjpwdw"),
        ("{'authorization': 'abcdefghij'}", "abcdefgh"),
        ('{"api_key": "abcdefghij"}', "abcdefgh"),
        ("api-key=abcdefghij", "abcdefgh"),
        ("token: abcdefghij", "abcdefgh"),
        ("GET https://user:pa55@host/v1", "pa55"),
        ("https://host/v1?api_key=a1&x=2", "a1"),
        ("https://host/v1?x=2&access_token=a1#f", "a1"),
    ],
)
def test_what_looks_like_a_secret_is_gone(text: str, secret: str) -> None:
    redacted = _text(Redactor(), text)
    assert secret not in redacted
    assert GONE in redacted


@pytest.mark.parametrize(
    "name", ["authorization", "X-Provider-Keys", "providerKeys", "api_key", "token", "Cookie", "secret"]
)
def test_a_value_is_gone_by_its_name(name: str) -> None:
    assert "abc" not in _told({"headers": {name: "abc"}}) + _told({name: ["abc"]})


@pytest.mark.parametrize(
    "text",
    [
        "openrouter/anthropic/claude-sonnet-4.5",
        "key_source is environment",
        "3 tokens",
        "task-manager",
        "key:0123456789ab",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert _text(Redactor(), text) == text


def test_a_secret_at_the_cut_of_a_long_text_is_gone() -> None:
    redactor = Redactor()
    key = "k3y" * 100
    redactor.register([SecretStr(key)])
    assert "k3y" not in _text(redactor, key * 400)


@pytest.mark.parametrize(
    "piece",
    ["/a", "/", "a/b.", "?a", "&key", "sk-", "bearer ", "://a", "token=", 'key: "', "a-", "A.", "api_", "\n", "'"],
)
def test_no_text_takes_long(piece: str) -> None:
    record = {"event": piece * 100_000, piece * 1_000: "x"}
    assert effort(lambda: Redactor()(None, "info", dict(record))) < 1_000


def test_records_are_bounded_in_length_width_and_depth() -> None:
    deep: object = "x"
    for _ in range(30):
        deep = [deep, deep]
    told = Redactor()(None, "info", {"event": "x" * 1_000_000, "wide": list(range(1_000)), "deep": deep})
    assert len(told["event"]) == MAX_TEXT
    assert told["wide"] == list(range(20))
    assert len(json.dumps(told["deep"])) < 1_000


def test_a_value_that_cannot_be_shown_does_not_lose_the_record() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise ZeroDivisionError

    assert "<Broken>" in _told({"event": Broken()})


def test_an_exception_is_told_by_type_message_and_module_without_folders() -> None:
    told = Redactor()(None, "error", {"event": "x", "exc_info": _error("why")})["exception"]
    assert told.startswith("RuntimeError: because of why (tests.server.test_redaction:")
    assert " <- ValueError: why (tests.server.test_redaction:" in told
    assert "/" not in told


def test_the_parts_of_an_exception_group_are_told() -> None:
    told = Redactor()(None, "error", {"event": "x", "exc_info": ExceptionGroup("all", [ValueError("one")])})
    assert "ValueError: one" in told["exception"]


@given(st.text())
def test_no_text_breaks_the_line_or_steers_the_terminal(text: str) -> None:
    assert _text(Redactor(), text).isprintable()


@pytest.fixture
def log() -> Iterator[Redactor]:
    root = logging.getLogger()
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    before = root.handlers, root.level, logging.raiseExceptions, [(n, lg) for n, lg in root.manager.loggerDict.items()]
    state = {
        n: (lg.handlers, lg.propagate, lg.disabled, lg.level) for n, lg in before[3] if isinstance(lg, logging.Logger)
    }
    redactor = Redactor()
    redactor.register([SecretStr("hunter2-secret")])
    yield redactor
    root.handlers, logging.raiseExceptions = before[0], before[2]
    root.setLevel(before[1])
    logging.captureWarnings(capture=False)
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    structlog.reset_defaults()
    for name, (handlers, propagate, disabled, level) in state.items():
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate, logger.disabled, logger.level = handlers, propagate, disabled, level


def test_the_standard_librarys_records_go_the_same_way(log: Redactor, capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "info", log)
    try:
        raise ValueError("hunter2-secret")  # noqa: TRY301 - an exception with a traceback is what is logged
    except ValueError:
        logging.getLogger("uvicorn.error").exception("failed for %s", "hunter2-secret")
        structlog.get_logger("own").exception("failed", header="Bearer hunter2-secret")
    logging.getLogger("asyncio").warning("broken %d", "hunter2-secret")
    out, err = capsys.readouterr()
    records = [json.loads(line) for line in err.splitlines()]
    assert out == ""
    assert "hunter2" not in err
    assert [record["logger"] for record in records] == ["uvicorn.error", "own"]
    assert all(record["exception"].startswith("ValueError: ") for record in records)
    assert all(record["timestamp"].endswith("Z") for record in records)


def test_what_nobody_catches_is_logged_without_secrets(log: Redactor, capsys: pytest.CaptureFixture[str]) -> None:
    def breaks() -> None:
        raise RuntimeError("hunter2-secret")

    configure("json", "info", log)
    thread = threading.Thread(target=breaks)
    thread.start()
    thread.join()
    error = RuntimeError("hunter2-secret")
    sys.excepthook(RuntimeError, error, None)
    sys.unraisablehook(SimpleNamespace(exc_value=error))
    err = capsys.readouterr().err
    assert [json.loads(line)["event"] for line in err.splitlines()] == [
        "exception_ended_thread",
        "exception_ended_process",
        "exception_not_raised",
    ]
    assert "hunter2" not in err


def test_records_for_people_have_one_line_each(log: Redactor, capsys: pytest.CaptureFixture[str]) -> None:
    configure("console", "warning", log)
    structlog.get_logger("own").warning("first\nforged", value="a\x1b[31mb")
    structlog.get_logger("own").info("too small")
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "\x1b" not in err
    assert not sys.stderr.isatty()


def test_cache_keys_are_in_no_record_however_much_is_logged(log: Redactor, capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "debug", log)
    logging.getLogger("aiocache.base").debug("GET openrouter 0123456789abcdef")
    logging.getLogger("uvicorn.access").info("GET /graphql?token=x")
    logging.getLogger("own").debug("told")
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["told"]


def test_a_sockets_address_is_in_no_record(log: Redactor, capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "info", log)
    server = logging.getLogger("uvicorn.error")
    for line in ('%s - "WebSocket %s" [accepted]', '%s - "WebSocket %s" 403'):
        server.info(line, "192.0.2.1:1", "/graphql?openrouter=hunter3")
    server.info('%s - "WebSocket %s" %d', "192.0.2.1:1", "/graphql?openrouter=hunter3", 429)
    for line in ("connection open", "connection closed", "connection rejected (%d %s)"):
        server.info(line, *((403, "Forbidden") if "%" in line else ()))
    server.info("Application startup complete.")
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == [
        "Application startup complete."
    ]


@pytest.mark.parametrize("level", ["debug", "error"])
def test_frames_and_headers_of_connections_are_in_no_record(
    log: Redactor, capsys: pytest.CaptureFixture[str], level: str
) -> None:
    configure("json", level, log)
    logging.getLogger("uvicorn.error").debug("< TEXT '...connection_init...'")
    logging.getLogger("websockets.server").debug("< X-Provider-Keys: ...")
    logging.getLogger("uvicorn.error").error("broken")
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["broken"]

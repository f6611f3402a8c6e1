"""Reading lists off the event loop gives what reading them on it would."""

import json
import socket
import subprocess
import sys

import pytest

from providers._kit.registry import adapters
from tests.practice.rows import big_list
from upstream.errors import Malformed
from upstream.parse import parse_list
from upstream.parsing import BIG, Parser
from upstream.upstream import Upstream

pytestmark = pytest.mark.process

UPSTREAM = Upstream(
    id="openrouter", name="OpenRouter", adapter=adapters()["openrouter"], base_url="https://upstream.test/v1"
)


def body(rows: list[object]) -> bytes:
    encoded = json.dumps({"data": rows}).encode()
    return encoded + b" " * max(BIG - len(encoded), 0)


async def test_a_big_list_read_in_a_child_is_the_list_read_here() -> None:
    bodies = (body([*big_list(300), None, 7]),)
    parsed = await Parser().parse(UPSTREAM, bodies)
    assert parsed == parse_list(UPSTREAM.adapter, "openrouter", "OpenRouter", bodies)
    assert (len(parsed.models), parsed.dropped) == (300, 2)


async def test_what_did_not_change_in_a_big_list_keeps_its_record() -> None:
    parser, rows = Parser(), list(big_list(300))
    first = (await parser.parse(UPSTREAM, (body(list(rows)),), known={})).models
    rows[7] = {**rows[7], "name": "Renamed"}
    second = (await parser.parse(UPSTREAM, (body(list(rows[:-1])),), known={m.id: m for m in first})).models
    assert [new is old for new, old in zip(second, first, strict=False)] == [n != 7 for n in range(299)]
    assert second[7].name == "Renamed"


async def test_records_that_are_held_already_are_given_again() -> None:
    held = parse_list(UPSTREAM.adapter, "openrouter", "OpenRouter", (body(list(big_list(300))),)).models
    parsed = await Parser().parse(UPSTREAM, (body(list(big_list(300))),), known={m.id: m for m in held})
    assert all(new is old for new, old in zip(parsed.models, held, strict=True))


async def test_a_list_read_for_a_caller_leaves_nothing_behind() -> None:
    parser = Parser()
    await parser.parse(UPSTREAM, (body(list(big_list(10))),))
    assert parser._read == {}


async def test_a_big_body_that_is_no_list_is_malformed() -> None:
    with pytest.raises(Malformed) as here:
        parse_list(UPSTREAM.adapter, "openrouter", "OpenRouter", (b"<" * BIG,))
    with pytest.raises(Malformed) as there:
        await Parser().parse(UPSTREAM, (b"<" * BIG,))
    assert there.value.message == here.value.message


async def test_a_child_that_dies_fails_its_list_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    parser = Parser()
    with monkeypatch.context() as broken:
        broken.setattr(sys, "executable", "/bin/false")
        with pytest.raises(Malformed):
            await parser.parse(UPSTREAM, (body(list(big_list(10))),))
    assert len((await parser.parse(UPSTREAM, (body(list(big_list(10))),))).models) == 10


@pytest.mark.parametrize(
    "task", [b"", b'["openrouter"', b'["openrouter", "openrouter", "OpenRouter", [9], {}]\n[]', None]
)
def test_a_child_whose_parent_is_gone_ends_without_a_word(task: bytes | None) -> None:
    whole = body(list(big_list(3_000)))
    head = b'["openrouter", "openrouter", "OpenRouter", [%d], {}]\n' % len(whole)
    ours, childs = socket.socketpair()
    with (
        childs,
        subprocess.Popen(
            [sys.executable, "-m", "upstream.parsing_child"], stdin=childs.fileno(), stderr=subprocess.PIPE
        ) as child,
    ):
        childs.close()
        with ours:
            ours.sendall(head + whole if task is None else task)
        _, said = child.communicate(timeout=30)
    assert (said, child.returncode) == (b"", 0)

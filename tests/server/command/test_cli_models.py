"""The command `models`: what it asks, and how it shows the answer in a pipe, on a terminal and as JSON."""

import json
import re

import pytest

from tests.server.command.commands import MODEL, Run, on_terminal
from tests.server.command.fake_server import FakeServer


def test_models_are_lines_in_a_pipe(fake: FakeServer, run: Run) -> None:
    fake.data = {"models": [MODEL]}
    code, out, err = run("models", "--url", fake.url)
    assert (code, err) == (0, "")
    assert out == "openrouter/lab/model\tA model?[31m\tAVAILABLE\t128000\t0.25\t\tchat, vision\t\n"


def test_models_are_a_table_on_a_terminal(fake: FakeServer, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.data = {"models": [MODEL]}
    code, lines = on_terminal(run, monkeypatch, 160, "models", "--url", fake.url)
    assert code == 0
    assert lines[0].split() == ["Model", "Name", "Status", "Context", "$/M", "in", "$/M", "out", "Capabilities"]
    assert lines[1].split() == [
        "openrouter/lab/model",
        "A",
        "model?[31m",
        "AVAILABLE",
        "128000",
        "0.25",
        "chat,",
        "vision",
    ]


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_no_terminal_is_too_narrow_for_a_whole_id(
    fake: FakeServer, run: Run, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    long = "requesty/bedrock/anthropic.claude-sonnet-4-20250514-v1:0@eu-central-1"
    fake.data = {"models": [MODEL, {**MODEL, "id": long, "capabilities": ["CHAT"] * 20}]}
    _, lines = on_terminal(run, monkeypatch, width, "models", "--url", fake.url)
    first = re.compile(r"^\S*")
    ids = "".join(found.group() for line in lines[1:] if (found := first.match(line)))
    assert ids == f"{MODEL['id']}{long}"
    assert all(len(line) <= width for line in lines)
    assert not any("…" in line for line in lines)


def test_a_narrow_terminal_leaves_capabilities_out_first_and_names_next(
    fake: FakeServer, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.data = {"models": [{**MODEL, "name": "A model of a name", "capabilities": ["CHAT"] * 20}]}
    heads = [on_terminal(run, monkeypatch, width, "models", "--url", fake.url)[1][0] for width in (130, 90, 70)]
    assert [("Capabilities" in head, "Name" in head) for head in heads] == [(True, True), (False, True), (False, False)]


def test_numbers_stand_right(fake: FakeServer, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.data = {"models": [MODEL, {**MODEL, "contextMax": 8}]}
    _, lines = on_terminal(run, monkeypatch, 160, "models", "--url", fake.url)
    assert lines[1].index("128000") + len("128000") == lines[2].index(" 8 ") + len(" 8")


def test_why_models_are_not_available_is_said_once_below_the_table(
    fake: FakeServer, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    down = {**MODEL, "status": "UNAVAILABLE", "errorMessage": "OpenRouter is down: it did not answer."}
    fake.data = {"models": [MODEL, down, down]}
    assert on_terminal(run, monkeypatch, 80, "models", "--url", fake.url)[1][4:] == [
        "2 of these: OpenRouter is down: it did not answer."
    ]
    assert run("models", "--url", fake.url)[1].splitlines()[1].endswith("\tOpenRouter is down: it did not answer.")


def test_where_nothing_matches_it_is_said_beside_the_output(fake: FakeServer, run: Run) -> None:
    fake.data = {"models": []}
    assert run("models", "--url", fake.url) == (0, "", "No models match.\n")
    assert run("models", "--json", "--url", fake.url) == (0, "[]\n", "")


def test_a_word_of_no_vocabulary_is_refused_with_the_known_ones(fake: FakeServer, run: Run) -> None:
    for option, known in (("--capability", "structured_output"), ("--status", "deprecated")):
        code, _, err = run("models", option, "flying", "--url", fake.url)
        assert code == 2
        assert "'flying'" in err
        assert known in err
    assert fake.asked == []


def test_models_as_json_are_one_document(fake: FakeServer, run: Run) -> None:
    fake.data = {"models": [MODEL]}
    assert json.loads(run("models", "--json", "--url", fake.url)[1]) == [MODEL]


def test_filters_are_the_arguments_of_the_query(fake: FakeServer, run: Run) -> None:
    fake.data = {"models": []}
    words = [
        "--provider",
        "a",
        "--provider",
        "b",
        "--capability",
        "image-output",
        "--status",
        "available",
        "--search",
        "x",
        "--limit",
        "5",
    ]
    assert run("models", *words, "--url", fake.url)[0] == 0
    assert fake.variables == {
        "provider": ["a", "b"],
        "capability": ["IMAGE_OUTPUT"],
        "status": ["AVAILABLE"],
        "search": "x",
        "limit": 5,
    }


def test_without_filters_no_argument_is_sent(fake: FakeServer, run: Run) -> None:
    fake.data = {"models": []}
    run("models", "--url", fake.url)
    assert fake.variables == {}

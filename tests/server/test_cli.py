"""The command line, against a server on loopback: what it prints where, and what its exit codes mean."""

import json
import re
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from server import cli
from server.configuration import ConfigurationError
from server.questions import REFRESH, telling_progress
from server.remote import Remote
from server.settings import Settings
from server.tables import telling_steps
from tests.practice.only import only_named
from tests.server.fake_server import FakeServer, serving

MODEL = {
    "id": "openrouter/lab/model",
    "name": "A model\x1b[31m",
    "provider": {"id": "openrouter", "name": "OpenRouter"},
    "status": "AVAILABLE",
    "errorMessage": None,
    "capabilities": ["CHAT", "VISION"],
    "contextMax": 128000,
    "outputMax": None,
    "pricing": {"inputPerMillion": 0.25, "outputPerMillion": None, "currency": "USD"},
    "expiresAt": None,
    "lastChecked": "2026-05-01T12:00:00Z",
    "source": "LIVE",
}

Run = Callable[..., tuple[int, str, str]]


def _health(provider: str, status: str) -> dict[str, Any]:
    error = {"code": "TIMEOUT", "message": "It did not answer.", "retryable": True, "at": "2026-05-01T12:00:00Z"}
    return {
        "provider": {"id": provider, "name": provider, "configured": True},
        "status": status,
        "modelCount": 3,
        "latencyMs": 12.4,
        "lastChecked": None,
        "lastSuccessAt": None,
        "consecutiveFailures": 0,
        "error": error if status == "DOWN" else None,
        "quarantine": None,
    }


def _refreshed(provider: str, outcome: str) -> dict[str, Any]:
    error = {"code": "TIMEOUT", "message": "It did not answer."} if outcome == "FAILED" else None
    counts = {"added": 1, "removed": 2, "changed": 3, "modelCount": 4, "durationMs": 1540.0}
    return {"provider": {"id": provider}, "outcome": outcome, **counts, "error": error}


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    with serving(FakeServer()) as server:
        yield server


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.setenv("CATALOGUE_DATA_DIR", str(tmp_path / "data"))

    def run_(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["catalogue", *words])
        code: object = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        assert code is None or isinstance(code, int)
        return code or 0, out, err

    return run_


def on_terminal(run: Run, monkeypatch: pytest.MonkeyPatch, width: int, *words: str) -> tuple[int, list[str]]:
    """The exit code and the lines of a command on a terminal of some width, without colours and spaces at the end."""
    with monkeypatch.context() as terminal:
        terminal.setattr("sys.stdout.isatty", lambda: True)
        terminal.setenv("COLUMNS", str(width))
        terminal.setenv("TERM", "xterm")
        code, out, _ = run(*words)
    return code, [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", out).splitlines()]


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
    assert run("models", "--url", fake.url) == (0, "", "No model matches.\n")
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


@pytest.mark.parametrize(
    ("code", "exit_code"), [("UNKNOWN_PROVIDER", 2), ("BAD_USER_INPUT", 2), ("RATE_LIMITED", 1), ("INTERNAL", 1)]
)
def test_an_error_is_one_line_and_wrong_input_is_wrong_usage(
    fake: FakeServer, run: Run, code: str, exit_code: int
) -> None:
    fake.errors = [{"message": "Unknown\nprovider 'x'.", "extensions": {"code": code}}]
    assert run("models", "--provider", "x", "--url", fake.url) == (exit_code, "", "Unknown?provider 'x'.\n")


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"data": null}', b"\xff"])
def test_what_is_no_graphql_answer_is_said_so(fake: FakeServer, run: Run, body: bytes) -> None:
    fake.body = body
    code, out, err = run("models", "--url", fake.url)
    assert (code, out) == (1, "")
    assert err.count("\n") == 1


def test_where_no_server_runs_one_line_says_what_to_do(run: Run) -> None:
    with serving(FakeServer()) as gone:
        url = gone.url
    code, out, err = run("models", "--url", url)
    assert (code, out) == (1, "")
    assert "catalogue serve" in err
    assert err.count("\n") == 1


def test_the_server_is_looked_for_where_the_configuration_puts_it(
    fake: FakeServer, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.data = {"models": []}
    monkeypatch.setenv("CATALOGUE_HOST", "0.0.0.0")  # noqa: S104 - read, not bound
    monkeypatch.setenv("CATALOGUE_PORT", fake.url.rpartition(":")[2])
    assert run("models")[0] == 0


@pytest.mark.parametrize(
    ("statuses", "code"), [(("HEALTHY", "DEGRADED"), 0), (("HEALTHY", "DOWN"), 3), (("DOWN", "DOWN"), 4), ((), 0)]
)
def test_health_tells_by_its_exit_code_whether_some_or_all_are_down(
    fake: FakeServer, run: Run, statuses: tuple[str, ...], code: int
) -> None:
    fake.data = {"providerHealth": [_health(f"p{number}", status) for number, status in enumerate(statuses)]}
    exit_code, out, _ = run("health", "--url", fake.url)
    assert exit_code == code
    assert len(out.splitlines()) == len(statuses)
    assert ("It did not answer." in out) == ("DOWN" in statuses)


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_health_ready_is_an_exit_code_for_a_health_check(fake: FakeServer, run: Run, status: int, code: int) -> None:
    fake.statuses = {"/readyz": status}
    assert run("health", "--ready", "--url", fake.url) == (code, "", "")


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        (("UPDATED", "UNCHANGED", "SKIPPED", "IN_PROGRESS"), 0),
        (("UPDATED", "FAILED"), 3),
        (("UNCHANGED", "KEPT_LAST_GOOD", "QUARANTINED"), 3),
        (("FAILED", "KEPT_LAST_GOOD"), 4),
    ],
)
def test_refresh_tells_by_its_exit_code_whether_some_or_all_failed(
    fake: FakeServer, run: Run, outcomes: tuple[str, ...], code: int
) -> None:
    rows = [_refreshed(f"p{number}", outcome) for number, outcome in enumerate(outcomes)]
    fake.data = {"refreshCatalogue": {"results": rows}}
    exit_code, out, _ = run("refresh", "--url", fake.url)
    assert exit_code == code
    assert (
        out.splitlines()[0]
        == f"p0\t{outcomes[0]}\t4\t1\t2\t3\t1.5\t{'It did not answer.' if outcomes[0] == 'FAILED' else ''}"
    )


def test_refresh_says_its_progress_beside_the_output(fake: FakeServer, run: Run) -> None:
    step = {"provider": {"id": "openrouter"}, "step": "FETCHING", "received": 2048, "modelCount": None}
    fake.events = [{"refreshProgress": step}]
    fake.data = {"refreshCatalogue": {"results": []}}
    said: list[tuple[str, str, str]] = []
    with telling_progress(Remote(fake.url), lambda *told: said.append(told)) as followed:
        followed.join()
        Remote(fake.url).query(REFRESH, {"force": True})
    assert said == [("openrouter", "fetching", "2 KiB")]
    assert run("refresh", "--url", fake.url, "--json")[1] == "[]\n"


def test_without_a_terminal_each_step_is_one_line_however_much_arrives(capsys: pytest.CaptureFixture[str]) -> None:
    with telling_steps() as tell:
        for size in ("", "64 KiB", "128 KiB"):
            tell("a", "fetching", size)
        tell("b", "fetching", "")
        tell("a", "done", "3 models")
    assert capsys.readouterr().err == "a: fetching\nb: fetching\na: done, 3 models\n"


def test_on_a_terminal_the_steps_change_in_place_and_leave_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with telling_steps() as tell:
        for size in range(100):
            tell("a", "fetching", f"{size} KiB")
    out, err = capsys.readouterr()
    assert out == ""
    assert "99 KiB" in err
    assert err.count("\n") < 5


def test_health_tells_the_age_of_a_success_and_the_list_that_is_held_back(
    fake: FakeServer, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = {"quarantine": {"id": "0123456789abcdef0123456789abcdef", "reason": "The list is empty."}}
    row = {**_health("p", "HEALTHY"), **held, "lastSuccessAt": "2026-05-01T12:00:00.5Z"}
    fake.data = {"providerHealth": [row]}
    _, lines = on_terminal(run, monkeypatch, 80, "health", "--url", fake.url)
    assert "d ago" in lines[1]
    assert "0123456789abcdef0123456789abcdef" in "\n".join(lines)
    assert "\t2026-05-01T12:00:00Z\tHeld back as 0123456789abcdef" in run("health", "--url", fake.url)[1]


@pytest.mark.parametrize("code", ["UNAUTHENTICATED", "FORBIDDEN"])
def test_refresh_without_a_token_says_the_three_ways_to_give_one(fake: FakeServer, run: Run, code: str) -> None:
    fake.errors = [{"message": "This needs a token.", "extensions": {"code": code}}]
    exit_code, _, err = run("refresh", "--url", fake.url)
    assert (exit_code, err.count("\n")) == (1, 1)
    assert all(way in err for way in ("--token-file", "CATALOGUE_TOKEN", "admin-token"))


@pytest.mark.parametrize("source", ["environment", "file", "data folder"])
def test_refresh_finds_its_token(
    fake: FakeServer, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str
) -> None:
    fake.data = {"refreshCatalogue": {"results": []}}
    words = []
    if source == "environment":
        monkeypatch.setenv("CATALOGUE_TOKEN", "s3cret")
    elif source == "file":
        (tmp_path / "token").write_text("s3cret\n")
        words = ["--token-file", str(tmp_path / "token")]
    else:
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "admin-token").write_text("s3cret")
    assert run("refresh", *words, "--if-old", "--url", fake.url)[0] == 0
    assert fake.headers[-1]["Authorization"] == "Bearer s3cret"
    assert fake.variables == {"force": False}


def test_a_token_file_that_cannot_be_read_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    assert run("refresh", "--token-file", str(tmp_path / "missing"))[0] == 2


def test_models_and_health_send_no_token(fake: FakeServer, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALOGUE_TOKEN", "s3cret")
    fake.data = {"models": []}
    run("models", "--url", fake.url)
    assert "Authorization" not in fake.headers[-1]


def test_serve_runs_the_server_with_its_options(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    served: list[Settings] = []
    stand_in = types.ModuleType("server.serve")
    stand_in.__dict__["serve"] = served.append
    monkeypatch.setitem(sys.modules, "server.serve", stand_in)
    assert run("serve", "--host", "127.0.0.2", "--port", "0", "--data-dir", str(tmp_path))[0] == 0
    assert [(found.host, found.port, found.data_dir) for found in served] == [("127.0.0.2", 0, tmp_path)]


def test_what_should_not_happen_is_one_line_without_folders_or_keys(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Settings) -> None:
        raise RuntimeError("at /usr/lib/python3/thing.py with sk-or-v1-0123456789")

    stand_in = types.ModuleType("server.serve")
    stand_in.__dict__["serve"] = fail
    monkeypatch.setitem(sys.modules, "server.serve", stand_in)
    code, out, err = run("serve")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "RuntimeError: at thing.py with [redacted]" in err


@pytest.mark.parametrize("command", ["serve", "models", "health", "refresh"])
def test_a_bad_configuration_is_one_line_and_exit_2(run: Run, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("CATALOGUE_PRT", "1")
    expected = "Configuration: CATALOGUE_PRT: unknown environment variable; did you mean CATALOGUE_PORT?\n"
    assert run(command) == (2, "", expected)


@pytest.mark.parametrize(
    "words", [["nonsense"], ["serve", "--port", "x"], ["models", "--limit", "0"], ["models", "--url", "ftp://x"]]
)
def test_wrong_usage_is_exit_2(run: Run, words: list[str]) -> None:
    assert run(*words)[0] == 2


def test_the_version_is_the_packages(run: Run) -> None:
    code, out, _ = run("--version")
    assert code == 0
    assert out.strip()[0].isdigit()


def test_light_commands_import_neither_graphql_nor_the_web_stack() -> None:
    script = "import sys, server.cli; print(*{'strawberry', 'graphql', 'aiohttp', 'starlette'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)  # noqa: S603 - our own interpreter
    assert done.stdout.strip() == ""


def test_doctor_finds_what_is_wrong_and_how_to_mend_it(
    run: Run, fake: FakeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake.statuses = {"/good/models": 200, "/bad/models": 401, "/livez": 200}
    config = tmp_path / "c.toml"
    config.write_text(
        only_named(f"""
        port = {fake.url.rpartition(":")[2]}
        [providers.good]
        adapter = "openai-compatible"
        base_url = "{fake.url}/good"
        [providers.bad]
        adapter = "openai-compatible"
        base_url = "{fake.url}/bad"
        api_key_env = "BAD_KEY"
        """)
    )
    monkeypatch.setenv("BAD_KEY", "hunter2-hunter2")
    data = tmp_path / "data"
    data.mkdir()
    (data / "admin-token").write_text("x" * 40)
    (data / "admin-token").chmod(0o644)
    (data / "catalogue.db").write_bytes(b"no database" * 1000)
    code, out, err = run("doctor", "--json", "--config", str(config))
    checks = {check["name"]: check for check in json.loads(out)}
    assert code == 1
    assert {name: check["ok"] for name, check in checks.items()} == {
        "python": True,
        "configuration": True,
        "data folder": True,
        "store": False,
        "admin token": False,
        "port": True,
        "provider good": True,
        "provider bad": False,
    }
    assert "a server runs" in checks["port"]["found"]
    assert "chmod 600" in checks["admin token"]["remedy"]
    assert "BAD_KEY" in checks["provider bad"]["remedy"]
    assert "hunter2" not in out + err


def test_doctor_names_the_variable_of_a_key_that_is_not_set_and_the_list_that_is_held_back(
    run: Run, fake: FakeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake.statuses = {"/livez": 200, "/good/models": 200}
    held = {"quarantine": {"id": "0123456789abcdef", "reason": "The list is empty."}}
    fake.data = {"providerHealth": [_health("fine", "HEALTHY"), {**_health("good", "HEALTHY"), **held}]}
    config = tmp_path / "c.toml"
    config.write_text(
        only_named(f"""
        port = {fake.url.rpartition(":")[2]}
        [providers.good]
        adapter = "openai-compatible"
        base_url = "{fake.url}/good"
        api_key_env = "GOOD_KEY"
        """)
    )
    monkeypatch.delenv("GOOD_KEY", raising=False)
    code, out, err = run("doctor", "--json", "--config", str(config))
    wrong = {check["name"]: check for check in json.loads(out) if not check["ok"]}
    assert (code, err, set(wrong)) == (1, "", {"list of good", "provider good"})
    assert "GOOD_KEY" in wrong["provider good"]["remedy"]
    assert "0123456789abcdef" in wrong["list of good"]["found"]
    assert 'resolveQuarantine(quarantine: "0123456789abcdef", accept: true)' in wrong["list of good"]["remedy"]


def test_doctor_names_the_file_of_a_provider_that_cannot_be_composed(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text("[providers.x]\npoll = false")
    _, out, _ = run("doctor", "--config", str(config))
    assert f"configuration\tWRONG\t{config}: providers.x: needs an adapter" in out


def test_serve_names_the_place_of_what_it_cannot_use(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Settings) -> None:
        raise ConfigurationError("data_dir: it is used by another server.")

    stand_in = types.ModuleType("server.serve")
    stand_in.__dict__["serve"] = fail
    monkeypatch.setitem(sys.modules, "server.serve", stand_in)
    told = "Configuration: data_dir: it is used by another server. It is set by CATALOGUE_DATA_DIR.\n"
    assert run("serve") == (2, "", told)


def test_doctor_says_what_is_wrong_with_the_configuration(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALOGUE_PORT", "eight")
    code, out, _ = run("doctor")
    assert code == 1
    assert "configuration\tWRONG\tCATALOGUE_PORT" in out

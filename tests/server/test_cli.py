"""The command line as a whole: faults in one line each, and what its exit codes mean."""

import subprocess
import sys
import types
from pathlib import Path

import pytest

from server.config.configuration import ConfigurationError
from server.config.settings import Settings
from tests.server.command.commands import Run
from tests.server.command.fake_server import FakeServer, serving


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


def test_a_configuration_file_is_named_by_the_environment(
    fake: FakeServer, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake.data = {"models": []}
    (tmp_path / "c.toml").write_text(f"port = {fake.url.rpartition(':')[2]}")
    monkeypatch.setenv("CATALOGUE_CONFIG", str(tmp_path / "c.toml"))
    assert run("models")[0] == 0


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


@pytest.mark.process
def test_light_commands_import_neither_graphql_nor_the_web_stack() -> None:
    script = "import sys, server.cli; print(*{'strawberry', 'graphql', 'aiohttp', 'starlette'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)  # noqa: S603 - our own interpreter
    assert done.stdout.strip() == ""


Wrong = tuple[str, dict[str, str], list[str]]
WRONG: list[Wrong] = [
    ("prot = 1\n", {}, ["catalogue.toml", "prot", "did you mean port"]),
    ('model_list_ttl = "soon"\n', {}, ["catalogue.toml", "model_list_ttl", "fix or remove"]),
    ("[providers.openrouter]\nbase_urll = 1\n", {}, ["providers.openrouter.base_urll", "did you mean base_url"]),
    ("= nonsense\n", {}, ["catalogue.toml", "not valid TOML"]),
    ("", {"CATALOGUE_PORTT": "1"}, ["CATALOGUE_PORTT", "did you mean CATALOGUE_PORT"]),
    ("", {"CATALOGUE_MODEL_LIST_TTL": "-1"}, ["CATALOGUE_MODEL_LIST_TTL", "greater than 0"]),
]
"""The configuration, the environment, and the parts of the line."""


@pytest.mark.parametrize("wrong", WRONG)
def test_bad_settings_stop_the_start_with_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wrong: Wrong
) -> None:
    toml, env, named = wrong
    config = tmp_path / "catalogue.toml"
    config.write_text(toml)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    code, out, err = run("serve", "--config", str(config))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("Configuration: ")
    assert all(part in err for part in named), err


def test_serve_names_the_place_of_what_it_cannot_use(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Settings) -> None:
        raise ConfigurationError("data_dir: it is used by another server.")

    stand_in = types.ModuleType("server.serve")
    stand_in.__dict__["serve"] = fail
    monkeypatch.setitem(sys.modules, "server.serve", stand_in)
    told = "Configuration: data_dir: it is used by another server. It is set by CATALOGUE_DATA_DIR.\n"
    assert run("serve") == (2, "", told)

"""The command `doctor`: what is wrong, and how to mend it."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.practice.only import only_named
from tests.server.command.commands import Run, health_of
from tests.server.command.fake_server import FakeServer


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
    fake.data = {"providerHealth": [health_of("fine", "HEALTHY"), {**health_of("good", "HEALTHY"), **held}]}
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
    assert f"configuration\tFAILED\t{config}: providers.x: adapter is missing" in out


def test_doctor_says_what_is_wrong_with_the_configuration(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALOGUE_PORT", "eight")
    code, out, _ = run("doctor")
    assert code == 1
    assert "configuration\tFAILED\tCATALOGUE_PORT" in out


def test_doctor_finds_a_full_disk(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALOGUE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("server.command.doctor.shutil.disk_usage", lambda _: SimpleNamespace(free=0))
    _, output, _ = run("doctor", "--json")
    assert "The disk is full." in output

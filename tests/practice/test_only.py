"""A server under test asks nobody but who is played for it."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from providers._kit.registry import adapters
from server.config.configuration import load_settings
from server.config.upstreams import upstreams
from tests.practice.only import only_named

NAMED = '[providers.requesty]\nbase_url = "http://127.0.0.1:9"\n[providers.router]\nbase_url = "http://127.0.0.1:9"'


@pytest.mark.parametrize(
    ("toml", "left"),
    [
        ("", set()),
        ('providers.requesty.base_url = "http://127.0.0.1:9"', {"requesty"}),
        (f'{NAMED}\nadapter = "openai-compatible"', {"requesty", "router"}),
        ('[providers.openrouter-2]\nbase_url = "http://127.0.0.1:9"\nadapter = "openrouter"', {"openrouter-2"}),
    ],
)
def test_only_the_named_providers_are_asked(tmp_path: Path, toml: str, left: set[str]) -> None:
    config = tmp_path / "c.toml"
    config.write_text(only_named(toml))
    assert {upstream.id for upstream in upstreams(load_settings({}, config=config), {})} == left


def test_a_new_adapter_is_left_out_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    known = adapters()
    router = known["openrouter"]
    monkeypatch.setattr("tests.practice.only.adapters", lambda: {**known, "acme": replace(router, id="acme")})
    assert tomllib.loads(only_named(NAMED))["providers"]["acme"] == {"enabled": False}

"""The configuration that the contract documents starts the server: no setting that it names is unknown."""

import re
import tomllib
from pathlib import Path

import pytest

from catalogue.migration import ModelMigration
from catalogue.vocabulary import MigrationReason
from server.config.configuration import load_settings
from server.config.settings import Settings
from server.config.upstreams import upstreams

CONTRACT = Path(__file__).parents[3] / "../shared/api.graphql"
EVERY_SETTING = """
model_list_ttl = 600
model_details_ttl = 3600
provider_health_ttl = 30
data_dir = "data"
default_model = "openrouter/old"
host = "127.0.0.1"
port = 8000
secret = "0123456789abcdef"

[providers.openrouter]
base_url = "https://openrouter.ai/api/v1"
health_url = "https://openrouter.ai/health"
enabled = true
poll = true
requests_per_minute = 60
burst = 10
max_retries = 3
backoff_ms = 1000
timeout = 10
headers = {}

[providers.my-gateway]
adapter = "openai-compatible"
name = "My gateway"
base_url = "http://127.0.0.1:4000/v1"
api_key_env = "MY_KEY"

[[migrations]]
old_id = "openrouter/old"
new_id = "openrouter/new"
reason = "renamed"
automatic = true
"""
LEFT_OPEN = {
    'data_dir = "…"': 'data_dir = "data"',
    'default_model = "openrouter/…"': 'default_model = "openrouter/old"',
    'secret = "…"': 'secret = "0123456789abcdef"',
    'health_url = "…"': 'health_url = "https://openrouter.ai/health"',
    'old_id = "…"': 'old_id = "openrouter/old"',
    'new_id = "…"': 'new_id = "openrouter/new"',
}
"""What the contract leaves to the operator, filled in."""
_PIECE = re.compile(r'\[+[\w.-]+\]+|\w+ = (?:"[^"]*"|\{\}|[\w.]+)')


def contracts_block() -> str:
    """The contract's block as TOML: it sets several on a line, with comments beside them."""
    _, _, block = CONTRACT.read_text("utf-8").partition("\n# Configuration:")
    lines = [line.removeprefix("#").partition("#")[0] for line in block.splitlines() if line.startswith("#   ")]
    text = "\n".join(piece for line in lines for piece in _PIECE.findall(line))
    for open_, filled in LEFT_OPEN.items():
        assert open_ in text
        text = text.replace(open_, filled)
    return text


def loaded(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "catalogue.toml"
    path.write_text(text, "utf-8")
    return load_settings({}, config=path)


def test_every_documented_setting_is_accepted_and_means_something(tmp_path: Path) -> None:
    settings = loaded(tmp_path, EVERY_SETTING)
    assert settings.default_model == "openrouter/old"
    assert [entry.migration() for entry in settings.migrations] == [
        ModelMigration(old_id="openrouter/old", new_id="openrouter/new", reason=MigrationReason.RENAMED, automatic=True)
    ]
    assert {"openrouter", "my-gateway"} <= {upstream.id for upstream in upstreams(settings, {})}


@pytest.mark.skipif(not CONTRACT.exists(), reason="the contract is not beside this checkout")
def test_the_contracts_own_block_is_accepted_and_holds_the_same(tmp_path: Path) -> None:
    block = contracts_block()
    assert tomllib.loads(block) == tomllib.loads(EVERY_SETTING)
    assert loaded(tmp_path, block) == loaded(tmp_path, EVERY_SETTING)

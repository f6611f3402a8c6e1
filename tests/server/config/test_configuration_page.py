"""The page about the configuration tells every setting with its default, as the code has it."""

import tomllib
from pathlib import Path

from server.config.configuration import load_settings
from server.config.upstreams import upstreams
from tests.server.config.configuration_table import PAGE, page


def test_the_tables_are_as_the_settings_are() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `make generate`"


def test_the_example_is_a_configuration_that_starts(tmp_path: Path) -> None:
    example = PAGE.read_text("utf-8").partition("```toml\n")[2].partition("```")[0]
    assert tomllib.loads(example)
    path = tmp_path / "catalogue.toml"
    path.write_text(example, "utf-8")
    assert "my-gateway" in {upstream.id for upstream in upstreams(load_settings({}, config=path), {})}

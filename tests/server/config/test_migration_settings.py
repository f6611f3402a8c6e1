"""The default model and the migrations as an operator writes them: what holds unsaid, and which faults are named."""

from pathlib import Path

import pytest

from catalogue.vocabulary import MigrationReason
from server.config.configuration import ConfigurationError, load_settings
from server.config.migration_settings import MOST_MIGRATIONS
from server.config.settings import Settings

ENTRY = '[[migrations]]\nold_id = "a/old"\nnew_id = "a/new"\n'


def _loaded(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "catalogue.toml"
    path.write_text(text, "utf-8")
    return load_settings({}, config=path)


def test_nothing_is_configured_by_default() -> None:
    settings = load_settings({})
    assert (settings.default_model, settings.migrations) == (None, ())


def test_the_default_model_can_be_set_in_the_environment() -> None:
    settings = load_settings({"CATALOGUE_DEFAULT_MODEL": "openrouter/lab/opus:free"})
    assert settings.default_model == "openrouter/lab/opus:free"


def test_a_migration_is_a_rename_that_is_followed_unless_it_says_otherwise(tmp_path: Path) -> None:
    text = ENTRY + ENTRY.replace("a/old", "a/older") + 'reason = "moved"\nautomatic = false'
    first, second = _loaded(tmp_path, text).migrations
    assert (first.reason, first.automatic) == (MigrationReason.RENAMED, True)
    assert (second.reason, second.automatic) == (MigrationReason.MOVED, False)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ('default_model = "opus"', "default_model", "a model id"),
        ("migrations = 3", "migrations", "should be a list"),
        ("migrations = [3]", "migrations[0]", "should be a table"),
        ('[[migrations]]\nnew_id = "a/b"', "migrations[0].old_id", "is missing; add it."),
        ('[[migrations]]\nold_id = "opus"', "migrations[0].old_id", "a model id"),
        ('[[migrations]]\nold_id = "a/b"\nnew_id = "a/b"', "migrations[0].new_id", "must differ from old_id"),
        (f'{ENTRY}new_ip = "a/c"', "migrations[0].new_ip", "did you mean new_id?"),
        (f'{ENTRY}reason = "bored"', "migrations[0].reason", "'renamed', 'moved' or 'deprecated'"),
        (f"{ENTRY}automatic = 1", "migrations[0].automatic", "(default: true)"),
        (ENTRY * 2, "migrations", "migrations[0] and migrations[1] have the same old_id"),
        (ENTRY * (MOST_MIGRATIONS + 1), "migrations", "must be at most 1000 entries"),
    ],
)
def test_a_fault_is_one_line_that_names_the_place(tmp_path: Path, text: str, place: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _loaded(tmp_path, text)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'catalogue.toml'}: {place}: ")
    assert words in message
    assert "\n" not in message

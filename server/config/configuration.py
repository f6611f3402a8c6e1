"""Reads the configuration from a TOML file, environment variables and command-line options; the last one wins.

Each layer is validated separately, so that an error names the place to fix. No error repeats a value, which may be a
secret.
"""

import json
import re
import tomllib
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from server.config.limits import Limits
from server.config.migration_settings import MigrationSettings
from server.config.provider_settings import ProviderSettings
from server.config.settings import Settings

PREFIX = "CATALOGUE_"
CONFIG = "CATALOGUE_CONFIG"
MAX_FILE = 1_048_576
TABLES: Mapping[str, type[BaseModel]] = {
    "limits": Limits,
    "providers": ProviderSettings,
    "migrations": MigrationSettings,
}
VARIABLES: Mapping[str, tuple[str, ...]] = {
    **{f"{PREFIX}{key.upper()}": (key,) for key in Settings.model_fields if key not in TABLES},
    **{f"{PREFIX}LIMITS_{key.upper()}": ("limits", key) for key in Limits.model_fields},
}
"""The environment variables for settings, with the setting's place in the file."""
OTHER_VARIABLES = (CONFIG, "CATALOGUE_TOKEN", "CATALOGUE_URL")
"""Variables with the same prefix that are not settings: the path of the file, and those of the command line."""
_KEY_WORDS = frozenset({"api_key", "apikey", "api-key", "key", "token", "api_token", "secret"})
"""Names under which operators may try to put a key into the file."""
Place = tuple[str | int, ...]
"""The path of a setting: names of tables and keys, and positions of entries."""


class ConfigurationError(Exception):
    """The configuration is invalid; the message is one line that names the place, the key and the fix."""


def load_settings(
    env: Mapping[str, str], *, config: Path | None = None, options: Mapping[str, object] | None = None
) -> Settings:
    """Read the settings; `options` are command-line options by setting, null if not given.

    Raises ConfigurationError if a setting is unknown or invalid, or the file cannot be read.
    """
    values = _read_file(config) if config else {}
    try:
        settings = Settings.model_validate_json(json.dumps(values, default=str), strict=True)
    except ValidationError as error:
        raise ConfigurationError(_in_file(config, error.errors()[0])) from None
    layers: list[tuple[str, tuple[str, ...], object]] = [(n, VARIABLES[n], text) for n, text in _variables(env).items()]
    layers += [(_flag(key), (key,), value) for key, value in (options or {}).items() if value is not None]
    for source, place, value in layers:
        table = values
        for name in place[:-1]:
            table = table.setdefault(name, {})
        table[place[-1]] = value
        try:
            settings = Settings.model_validate(values)
        except ValidationError as error:
            raise ConfigurationError(f"{source}: {_fault(place, error.errors()[0])}") from None
    return settings


def located(
    error: ConfigurationError,
    env: Mapping[str, str],
    *,
    config: Path | None = None,
    options: Mapping[str, object] | None = None,
) -> ConfigurationError:
    """Add the place to an error that was found after reading, and so names only the setting."""
    key = re.split("[:.]", str(error), maxsplit=1)[0]
    variable = f"{PREFIX}{key.upper()}"
    if (options or {}).get(key) is not None:
        return ConfigurationError(f"{error} It is set by {_flag(key)}.")
    if variable in VARIABLES and env.get(variable):
        return ConfigurationError(f"{error} It is set by {variable}.")
    if config and key in Settings.model_fields and key in _read_file(config):
        return ConfigurationError(f"{config}: {error}")
    return ConfigurationError(f"{error} Its variable is {variable}.") if variable in VARIABLES else error


def _flag(key: str) -> str:
    return f"--{key.replace('_', '-')}"


def _read_file(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size <= MAX_FILE:
            return tomllib.loads(path.read_text("utf-8"))
        fault = f"is larger than {MAX_FILE} bytes; check that it is the right file"
    except OSError as error:
        fault = f"cannot be read ({error.strerror}); fix the path or the permissions, or unset {CONFIG}"
    except UnicodeDecodeError:
        fault = "is not UTF-8 text; save it as UTF-8"
    except tomllib.TOMLDecodeError as error:
        fault = f"is not valid TOML: {error}"
    raise ConfigurationError(f"{path}: {fault}.")


def _variables(env: Mapping[str, str]) -> Mapping[str, str]:
    """The settings in the environment; an empty variable counts as unset."""
    found = {name: text for name, text in env.items() if name.startswith(PREFIX) and name not in OTHER_VARIABLES}
    for name in sorted(found.keys() - VARIABLES.keys()):
        fault = f"unknown environment variable; {_nearest(name, (*VARIABLES, *OTHER_VARIABLES))}"
        raise ConfigurationError(f"{_short(name)}: {fault}")
    return {name: text for name, text in found.items() if text}


def _in_file(path: Path | None, error: ErrorDetails) -> str:
    *tables, key = place = error["loc"]
    if error["type"] == "missing":
        fault = "is missing; add it."
    elif error["type"] != "extra_forbidden":
        fault = _fault(place, error)
    elif place[0] == "providers" and str(key).lower() in _KEY_WORDS:
        variable = f"{re.sub(r'[^A-Z0-9]', '_', str(tables[1]).upper())}_API_KEY"
        fault = (
            f"keys belong in the environment; remove it, set a variable such as {variable}, "
            "and name the variable in api_key_env."
        )
    else:
        fault = f"unknown setting; {_nearest(str(key), _model_at(place).model_fields)}"
    return f"{path}: {_dotted(place)}: {fault}"


def _fault(place: Place, error: ErrorDetails) -> str:
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input ").removesuffix(".")
    message = message.replace("an object", "a table").replace("a valid array", "a list")
    return f"{message}; fix or remove it{_default(place)}."


def _default(place: Place) -> str:
    """The setting's default in parentheses, if it is short and fixed."""
    field = _model_at(place).model_fields.get(str(place[-1]))
    default = field.default if field else None
    shown = str(default).lower() if isinstance(default, bool) else default
    return f" (default: {shown})" if isinstance(shown, str | int | float) else ""


def _model_at(place: Place) -> type[BaseModel]:
    return TABLES.get(str(place[0]), Settings) if len(place) > 1 else Settings


def _dotted(place: Place) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{_short(part)}" for part in place if part != "[key]")
    return "".join(parts).removeprefix(".")


def _short(name: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in name[:80])


def _nearest(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]}?" if close else f"choose one of {', '.join(sorted(known))}."

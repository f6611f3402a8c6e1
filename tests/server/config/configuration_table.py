"""The tables of `docs/configuration.md`, made from the settings; run as a module it writes them."""

from collections.abc import Container, Iterator
from enum import Enum
from pathlib import Path
from typing import get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from server.config.configuration import TABLES, VARIABLES
from server.config.limits import Limits
from server.config.migration_settings import MigrationSettings
from server.config.provider_settings import ProviderSettings
from server.config.settings import Settings

PAGE = Path(__file__).resolve().parents[3] / "docs" / "configuration.md"


def page() -> str:
    """The page with its tables as they should be."""
    text = PAGE.read_text("utf-8")
    for name, table in _tables():
        start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
        before, _, rest = text.partition(start)
        text = f"{before}{start}{table}{end}{rest.partition(end)[2]}"
    return text


def _tables() -> Iterator[tuple[str, str]]:
    yield "settings", _table(Settings, without=TABLES)
    yield "limits", _table(Limits)
    yield "providers", _table(ProviderSettings)
    yield "migrations", _table(MigrationSettings)


def _table(model: type[BaseModel], without: Container[str] = ()) -> str:
    variables = {path: name for name, path in VARIABLES.items()}
    has_variables = model in {Settings, Limits}
    head = ["Key", "Variable", "Default", "Meaning"] if has_variables else ["Key", "Default", "Meaning"]
    lines = [head, ["---"] * len(head)]
    for key, field in model.model_fields.items():
        if key not in without:
            place = (key,) if model is Settings else ("limits", key)
            variable = [f"`{variables[place]}`"] if has_variables else []
            lines.append([f"`{key}`", *variable, _default(key, field), field.description or ""])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _default(key: str, field: FieldInfo) -> str:
    if key == "data_dir":
        return "the user's data folder"
    if field.is_required():
        return "needed"
    default = field.get_default(call_default_factory=True)
    if default is None or default in ((), {}):
        return "none"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, Enum):
        choices, default = [choice.value for choice in type(default)], default.value
    else:
        choices = [choice for choice in get_args(field.annotation) if isinstance(choice, str)]
    others = f", or {', '.join(f'`{c}`' for c in choices if c != default)}" if choices else ""
    return f"`{default}`{others}"


def write() -> None:
    """Bring the page up to date."""
    PAGE.write_text(page(), "utf-8")

"""The README's table of providers, written from the adapters themselves."""

from pathlib import Path

from providers._kit.adapter import Adapter
from providers._kit.registry import adapters

README = Path(__file__).resolve().parents[1] / "README.md"
_START = "<!-- providers: written by `make generate` -->\n"
_END = "<!-- /providers -->"


def table() -> str:
    """The table as the README should hold it."""
    rows = "".join(_row(adapter) for _, adapter in sorted(adapters().items()))
    return f"| Id | Name | Key | List without a key | Endpoints of models |\n|---|---|---|---|---|\n{rows}"


def _row(adapter: Adapter) -> str:
    keys = ", ".join(f"`{name}`" for name in adapter.key_env) or "set by `api_key_env`"
    public = "no" if adapter.needs_key else "yes"
    if adapter.base_url is None:
        public = "depends on the server"
    endpoints = "yes" if adapter.endpoints else "no"
    return f"| `{adapter.id}` | {adapter.name} | {keys} | {public} | {endpoints} |\n"


def expected() -> str:
    """The README with the table as it should be."""
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(_START)
    _, _, after = rest.partition(_END)
    return f"{before}{_START}{table()}{_END}{after}"


def write() -> None:
    """Bring the README up to date."""
    README.write_text(expected(), encoding="utf-8")

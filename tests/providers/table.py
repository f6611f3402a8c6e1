"""The README's table of providers, written from what the adapters declare."""

from providers._kit.adapter import Adapter
from providers._kit.registry import adapters

BEGIN, END = "<!-- providers -->", "<!-- /providers -->"
_HEAD = ("| provider | id | list without a key | key | endpoints per model |", "|---|---|---|---|---|")


def table() -> str:
    rows = (_row(adapter) for adapter in adapters().values())
    return "\n".join((*_HEAD, *rows))


def placed(readme: str) -> str:
    """The README with the table between its two marks; ValueError where a mark is missing."""
    before, _, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        message = f"The README needs the marks {BEGIN} and {END} around the table of providers."
        raise ValueError(message)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _row(adapter: Adapter) -> str:
    name = f"[{adapter.name}]({adapter.website})" if adapter.website else adapter.name
    public = "as the server likes" if adapter.base_url is None else "no" if adapter.needs_key else "yes"
    key = ", ".join(f"`{variable}`" for variable in adapter.key_env) or "`api_key_env` in the configuration"
    return f"| {name} | `{adapter.id}` | {public} | {key} | {'yes' if adapter.endpoints else 'no'} |"

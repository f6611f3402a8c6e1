"""Settings for a server that asks nobody but who is played here, however many providers there are."""

import re

from providers._kit.registry import adapters


def only_named(toml: str) -> str:
    """The settings, with every provider disabled that the catalogue has by itself and that they do not name."""
    built_in = (adapter.id for adapter in adapters().values() if adapter.base_url)
    unnamed = (id_ for id_ in built_in if not re.search(rf"\bproviders\.{re.escape(id_)}(?![\w-])", toml))
    return "\n".join([toml, *(f"[providers.{id_}]\nenabled = false" for id_ in unnamed)])

"""Which providers there are: each adapter's defaults, overlaid with what the operator says of it."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from pydantic import SecretStr

from catalogue.vocabulary import KeySource
from providers._kit.adapter import Adapter, CallLimits
from providers._kit.registry import adapters
from providers._kit.upstream import Upstream
from server.configuration import ConfigurationError
from server.provider_settings import ProviderSettings
from server.settings import Settings

_CALLS = ("requests_per_minute", "burst", "max_retries", "backoff_ms", "timeout")


def upstreams(settings: Settings, env: Mapping[str, str]) -> tuple[Upstream, ...]:
    """Every enabled provider by id: the adapters with an address of their own, and the ones that the operator adds.

    Raises:
        ConfigurationError: a table names no known adapter, or leaves out an address or a key that it must give.
    """
    known = adapters()
    built_in = {id_: ProviderSettings() for id_, adapter in known.items() if adapter.base_url}
    tables = {**built_in, **settings.providers}
    return tuple(_upstream(id_, table, known, env) for id_, table in sorted(tables.items()) if table.enabled)


def _upstream(id_: str, table: ProviderSettings, known: Mapping[str, Adapter], env: Mapping[str, str]) -> Upstream:
    adapter = known.get(table.adapter or id_)
    if adapter is None:
        wrong = f"adapter: unknown adapter {table.adapter!r}" if table.adapter else "needs an adapter"
        raise ConfigurationError(f"providers.{id_}: {wrong}; set adapter to one of {', '.join(known)}.")
    base_url = table.base_url or adapter.base_url
    if base_url is None:
        raise ConfigurationError(f"providers.{id_}.base_url: missing; {adapter.id} has no address of its own, set one.")
    key = _key(id_, table, adapter, env)
    return Upstream(
        id=id_,
        name=table.name or (adapter.name if id_ == adapter.id else id_),
        adapter=adapter,
        base_url=base_url,
        health_url=table.health_url,
        key=key,
        key_source=KeySource.ENVIRONMENT if key else KeySource.NONE,
        headers=MappingProxyType({name: value.get_secret_value() for name, value in table.headers.items()}),
        calls=_calls(table, adapter.calls),
        poll=table.poll,
    )


def _key(id_: str, table: ProviderSettings, adapter: Adapter, env: Mapping[str, str]) -> SecretStr | None:
    """Find the key where the table says, or under the adapter's usual names for the adapter's own provider alone."""
    usual = adapter.key_env if id_ == adapter.id else ()
    names = (table.api_key_env,) if table.api_key_env else usual
    for name in names:
        key = env.get(name, "").strip()
        if key and not (key.isascii() and key.isprintable()):
            raise ConfigurationError(f"{name}: the key has characters that no header may carry; set it anew.")
        if key:
            return SecretStr(key)
    return None


def _calls(table: ProviderSettings, default: CallLimits) -> CallLimits:
    stated = {name: getattr(table, name) for name in _CALLS}
    return replace(default, **{name: value for name, value in stated.items() if value is not None})

"""Which providers there are: each adapter's defaults, overlaid with what the operator says of it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import structlog
from pydantic import SecretStr

from catalogue.vocabulary import KeySource
from providers._kit.adapter import Adapter, CallLimits
from providers._kit.registry import adapters
from server.config.configuration import ConfigurationError
from server.config.provider_settings import ProviderSettings
from server.config.settings import Settings
from upstream.upstream import Upstream

log = structlog.get_logger(__name__)
_CALLS = ("requests_per_minute", "burst", "max_retries", "backoff_ms", "timeout")


def _warn(provider_id: str, variable: str) -> None:
    log.warning("key_variable_not_set", provider=provider_id, variable=variable)


def upstreams(
    settings: Settings, env: Mapping[str, str], *, on_unset: Callable[[str, str], None] = _warn
) -> tuple[Upstream, ...]:
    """Every enabled provider by id: the adapters with an address of their own, and the ones that the operator adds.

    `on_unset` is told each provider whose `api_key_env` names a variable that is not set, with that variable.

    Raises:
        ConfigurationError: a table names no known adapter, or leaves out an address or a key that it must give.
    """
    known = adapters()
    built_in = {id_: ProviderSettings() for id_, adapter in known.items() if adapter.base_url}
    tables = {**built_in, **settings.providers}
    enabled = [(id_, table) for id_, table in sorted(tables.items()) if table.enabled]
    found = tuple(_upstream(id_, table, known, env) for id_, table in enabled)
    for id_, table in enabled:
        if table.api_key_env and not env.get(table.api_key_env, "").strip():
            on_unset(id_, table.api_key_env)
    return found


def key_variables(settings: Settings, id_: str, adapter: Adapter) -> tuple[str, ...]:
    """The variables that may hold a provider's key, in the order in which they are looked at.

    They are what its table says, or the adapter's usual names for the adapter's own provider alone.
    """
    return _names(id_, settings.providers.get(id_, ProviderSettings()), adapter)


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
    for name in _names(id_, table, adapter):
        key = env.get(name, "").strip()
        if key and not (key.isascii() and key.isprintable()):
            raise ConfigurationError(f"{name}: the key has characters that no header may carry; set it anew.")
        if key:
            return SecretStr(key)
    return None


def _names(id_: str, table: ProviderSettings, adapter: Adapter) -> tuple[str, ...]:
    if table.api_key_env:
        return (table.api_key_env,)
    return adapter.key_env if id_ == adapter.id else ()


def _calls(table: ProviderSettings, default: CallLimits) -> CallLimits:
    stated = {name: getattr(table, name) for name in _CALLS}
    return replace(default, **{name: value for name, value in stated.items() if value is not None})

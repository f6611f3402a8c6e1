"""The configured providers: each adapter's defaults, overridden by the settings."""

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
    """All enabled providers, sorted by id: adapters with a base URL, and providers added in the configuration.

    `on_unset` is called with the provider and the variable if `api_key_env` names a variable that is not set.

    Raises:
        ConfigurationError: a provider's adapter is unknown, its base URL is missing, or its key is invalid.
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
    """The variables that may hold a provider's key, in order of precedence.

    This is `api_key_env` or, for the adapter's own provider only, the adapter's usual variables.
    """
    return _names(id_, settings.providers.get(id_, ProviderSettings()), adapter)


def _upstream(id_: str, table: ProviderSettings, known: Mapping[str, Adapter], env: Mapping[str, str]) -> Upstream:
    adapter = known.get(table.adapter or id_)
    if adapter is None:
        fault = f"unknown adapter {table.adapter!r}" if table.adapter else "adapter is missing"
        raise ConfigurationError(f"providers.{id_}: {fault}; set adapter to one of {', '.join(known)}.")
    base_url = table.base_url or adapter.base_url
    if base_url is None:
        raise ConfigurationError(f"providers.{id_}.base_url: is missing; {adapter.id} has no base URL of its own.")
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
            raise ConfigurationError(f"{name}: the key has characters that are invalid in a header; set the key again.")
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

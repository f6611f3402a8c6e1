"""The configured providers: each adapter's defaults, overridden by the settings."""

from collections.abc import Mapping
from dataclasses import fields, replace
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
_CALLS = {field.name for field in fields(CallLimits)}


def upstreams(settings: Settings, env: Mapping[str, str]) -> tuple[Upstream, ...]:
    """All enabled providers, sorted by id: adapters with a base URL, and providers added in the configuration.

    Raises ConfigurationError if an adapter is unknown, a base URL is missing, or a key is invalid.
    """
    known = adapters()
    built_in = {id_: ProviderSettings() for id_, adapter in known.items() if adapter.base_url}
    tables = sorted({**built_in, **settings.providers}.items())
    return tuple(_upstream(id_, table, known, env) for id_, table in tables if table.enabled)


def unset_key_variables(settings: Settings, env: Mapping[str, str]) -> Mapping[str, str]:
    """The variables in `api_key_env` that are not set, by enabled provider."""
    named = {id_: table.api_key_env for id_, table in sorted(settings.providers.items()) if table.enabled}
    return {id_: name for id_, name in named.items() if name and not env.get(name, "").strip()}


def warn_of_unset_keys(settings: Settings, env: Mapping[str, str]) -> None:
    """Log each unset variable in `api_key_env`."""
    for id_, variable in unset_key_variables(settings, env).items():
        log.warning("key_variable_not_set", provider=id_, variable=variable)


def key_variables(table: ProviderSettings, id_: str, adapter: Adapter) -> tuple[str, ...]:
    """The variables that may hold a provider's key, first one first: an adapter's usual ones are its own provider's."""
    return (table.api_key_env,) if table.api_key_env else adapter.key_env if id_ == adapter.id else ()


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
        calls=replace(adapter.calls, **table.model_dump(include=_CALLS, exclude_none=True)),
        poll=table.poll,
    )


def _key(id_: str, table: ProviderSettings, adapter: Adapter, env: Mapping[str, str]) -> SecretStr | None:
    for name in key_variables(table, id_, adapter):
        if key := env.get(name, "").strip():
            if key.isascii() and key.isprintable():
                return SecretStr(key)
            raise ConfigurationError(f"{name}: the key has characters that are invalid in a header; set the key again.")
    return None

"""Finding providers, their health, and what they say of a caller's own key."""

from catalogue.errors import BadUserInput
from catalogue.selection import check_providers
from catalogue.snapshot import ProviderState
from resolvers.info import Info
from schema.arguments import ProviderId, Providers
from schema.health import HealthView
from schema.key_check import ProviderKeyCheck


async def providers(info: Info) -> list[ProviderState]:
    """Every provider, by name."""
    return list((await info.context.overlay()).snapshot.providers.values())


async def provider(info: Info, id: ProviderId) -> ProviderState | None:  # noqa: A002 - the argument's name in the contract
    """The provider with this id; null where there is none."""
    return (await info.context.overlay()).snapshot.providers.get(id)


async def provider_health(info: Info, provider: Providers = None) -> list[HealthView]:
    """How the named providers answer, or all."""
    snapshot = (await info.context.overlay()).snapshot
    check_providers(snapshot, provider or ())
    states = (state for state in snapshot.providers.values() if not provider or state.id in provider)
    return [HealthView(state.standing, state.model_count) for state in states]


async def check_provider_key(info: Info, provider: ProviderId) -> ProviderKeyCheck:
    """Try the caller's own key."""
    context = info.context
    check_providers(context.snapshot, [provider])
    key = context.scope.keys.get(provider)
    if key is None:
        raise BadUserInput(
            f"No key for {provider!r} came with this request. Send it in the header X-Provider-Keys "
            "or in connection_init as providerKeys, a JSON object of keys by provider id."
        )
    check = await context.services.own_lists.check(provider, key)
    return ProviderKeyCheck(
        provider=context.provider(provider),
        outcome=check.outcome,
        model_count=check.model_count,
        message=check.message,
    )

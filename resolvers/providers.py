"""The root fields for providers, their health, and checks of callers' own keys."""

from dataclasses import asdict

from catalogue.errors import BadUserInput
from catalogue.provider import ProviderState
from catalogue.selection import check_providers
from resolvers.context import Info
from schema.arguments import ProviderId, Providers
from schema.caller import ProviderKeyCheck
from schema.declaration import resolved
from schema.health import ProviderHealth
from schema.policy import Known, Policy, Reads
from schema.provider import Provider


@resolved(list[Provider], Policy(Reads.REVISION, rows=Known.PROVIDERS))
async def providers(info: Info) -> list[ProviderState]:
    """All providers, by name."""
    return list((await info.context.overlay()).snapshot.providers.values())


@resolved(Provider | None, Policy(Reads.REVISION))
async def provider(info: Info, id: ProviderId) -> ProviderState | None:  # noqa: A002 - the argument's name in the contract
    """The provider with this id. Null if there is none."""
    return (await info.context.overlay()).snapshot.providers.get(id)


@resolved(list[ProviderHealth], Policy(Reads.HEALTH, rows=Known.PROVIDERS))
async def provider_health(info: Info, provider: Providers = None) -> list[ProviderState]:
    """The health of providers, by name."""
    snapshot = (await info.context.overlay()).snapshot
    check_providers(snapshot, provider or ())
    return [state for state in snapshot.providers.values() if not provider or state.id in provider]


@resolved(ProviderKeyCheck, Policy(Reads.CALLER | Reads.ON_DEMAND))
async def check_provider_key(info: Info, provider: ProviderId) -> ProviderKeyCheck:
    """Checks the caller's own key, sent in the header `X-Provider-Keys` or in `connection_init`, with its provider."""
    context = info.context
    check_providers(context.snapshot, [provider])
    key = context.scope.keys.get(provider)
    if key is None:
        raise BadUserInput(
            f"No key for {provider!r} came with this request. Send it in the header X-Provider-Keys "
            "or in connection_init as providerKeys, a JSON object of keys by provider id."
        )
    check = await context.services.own_lists.check(provider, key)
    return ProviderKeyCheck(provider=context.provider(provider), **asdict(check))

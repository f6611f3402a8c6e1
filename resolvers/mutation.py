"""What can be done: a table of the root fields."""

import strawberry

from resolvers.providers import check_provider_key
from resolvers.refresh import refresh_catalogue, resolve_quarantine
from schema.key_check import ProviderKeyCheck
from schema.policy import POLICY, Policy, Reads
from schema.refresh import RefreshCataloguePayload, ResolveQuarantinePayload


@strawberry.type(description="What can be done.")
class Mutation:
    """The table."""

    refresh_catalogue = strawberry.field(
        resolver=refresh_catalogue,
        graphql_type=RefreshCataloguePayload,
        description="For admins: fetches lists now and answers within 8 s what each provider did.",
        metadata={POLICY: Policy(Reads.REVISION | Reads.HEALTH | Reads.CALLER)},
    )
    resolve_quarantine = strawberry.field(
        resolver=resolve_quarantine,
        graphql_type=ResolveQuarantinePayload,
        description="For admins: accepts or discards the list with this id that is held back.",
        metadata={POLICY: Policy(Reads.REVISION | Reads.HEALTH | Reads.CALLER)},
    )
    check_provider_key = strawberry.field(
        resolver=check_provider_key,
        graphql_type=ProviderKeyCheck,
        description="Tries the caller's own key for a provider, from the header or from connection_init.",
        metadata={POLICY: Policy(Reads.CALLER | Reads.ON_DEMAND)},
    )

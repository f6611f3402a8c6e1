"""What a refresh did and how far it has come, and how a quarantine was resolved."""

from collections.abc import Sequence

import strawberry

from catalogue import change, refresh
from catalogue.snapshot import ProviderState
from catalogue.vocabulary import RefreshOutcome, RefreshStep
from schema.change import Change
from schema.context import Info
from schema.health import ProviderError
from schema.policy import FEW, POLICY, Known, Policy, Reads, default_reads
from schema.provider import Provider
from schema.scalars import Cursor


def _provider(root: strawberry.Parent[refresh.ProviderRefresh | refresh.RefreshProgress], info: Info) -> ProviderState:
    return info.context.provider(root.provider_id)


@default_reads(Reads.REVISION | Reads.HEALTH)
@strawberry.type(description="What a refresh did for one provider.")
class ProviderRefresh:
    """A `ProviderRefresh` of the catalogue."""

    provider = strawberry.field(resolver=_provider, graphql_type=Provider, description="The provider.")
    outcome: RefreshOutcome = strawberry.field(description="What happened.")
    added: int = strawberry.field(description="How many models are new, as the changes say.")
    removed: int = strawberry.field(description="How many models were removed: they were missing for the second time.")
    changed: int = strawberry.field(
        description="How many models have other facts or another status, those missing for the first time included."
    )
    model_count: int = strawberry.field(description="How many models the provider lists now.")
    duration_ms: float = strawberry.field(description="How long it took, in milliseconds.")
    error: ProviderError | None = strawberry.field(description="Why the old list was kept.")


@default_reads(Reads.HEALTH)
@strawberry.type(description="One step of one provider's refresh.")
class RefreshProgress:
    """A `RefreshProgress` of the catalogue."""

    provider = strawberry.field(resolver=_provider, graphql_type=Provider, description="The provider.")
    step: RefreshStep = strawberry.field(description="How far it has come.")
    received: int | None = strawberry.field(description="How many bytes were received so far.")
    model_count: int | None = strawberry.field(description="How many models were read, once the list is read.")
    result: ProviderRefresh | None = strawberry.field(description="What the refresh did, with the step DONE.")


@default_reads(Reads.REVISION | Reads.HEALTH)
@strawberry.type(description="What a refresh of the catalogue did.")
class RefreshCataloguePayload:
    """The catalogue's position after a refresh, and what it did."""

    revision: int = strawberry.field(description="The catalogue's revision afterwards.")
    cursor: Cursor = strawberry.field(description="The position in the log of changes afterwards.")
    results: Sequence[refresh.ProviderRefresh] = strawberry.field(
        graphql_type=list[ProviderRefresh],
        description="What happened with each provider.",
        metadata={POLICY: Policy(Reads.REVISION | Reads.HEALTH, rows=Known.PROVIDERS)},
    )
    changes: Sequence[change.Change] = strawberry.field(
        graphql_type=list[Change],
        description="Every change that the refresh made, oldest first.",
        metadata={POLICY: Policy(Reads.REVISION | Reads.HEALTH, rows=FEW)},
    )


@default_reads(Reads.REVISION | Reads.HEALTH)
@strawberry.type(description="How a list that was held back was resolved.")
class ResolveQuarantinePayload:
    """The catalogue's position after a decision, and the provider it was about."""

    revision: int = strawberry.field(description="The catalogue's revision afterwards.")
    cursor: Cursor = strawberry.field(description="The position in the log of changes afterwards.")
    accepted: bool = strawberry.field(description="Whether the list was accepted; else it was discarded.")
    provider: ProviderState = strawberry.field(graphql_type=Provider, description="The provider after the decision.")

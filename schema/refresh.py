"""The results of refreshes and quarantine decisions, and the progress of refreshes."""

from collections.abc import Sequence

import strawberry

from catalogue import change, refresh
from catalogue.provider import ProviderState
from catalogue.vocabulary import RefreshOutcome, RefreshStep
from schema.change import Change
from schema.context import Info
from schema.declaration import field, output, resolved
from schema.health import ProviderError
from schema.policy import FEW, Known, Policy, Reads
from schema.provider import Provider
from schema.scalars import Cursor

_BOTH = Reads.REVISION | Reads.HEALTH


def _provider(root: strawberry.Parent[refresh.ProviderRefresh | refresh.RefreshProgress], info: Info) -> ProviderState:
    """The provider."""
    return info.context.provider(root.provider_id)


@output(_BOTH)
class ProviderRefresh:
    """The result of refreshing one provider."""

    provider = resolved(Provider)(_provider)
    outcome: RefreshOutcome = field("The outcome of the refresh.")
    added: int = field("The number of new models.")
    removed: int = field("The number of removed models. A model is removed once it is missing for the second time.")
    changed: int = field("The number of other models that changed, including those missing for the first time.")
    model_count: int = field("The number of models in the provider's list after the refresh.")
    duration_ms: float = field("The duration of the refresh, in milliseconds.")
    error: ProviderError | None = field("The problem that the refresh encountered. Null if there was none.")


@output(Reads.HEALTH)
class RefreshProgress:
    """A step of refreshing one provider."""

    provider = resolved(Provider)(_provider)
    step: RefreshStep = field("The step that the refresh has reached.")
    received: int | None = field("The number of bytes received so far. Null if this step does not report it.")
    model_count: int | None = field("The number of models in the list. Null if this step does not report it.")
    result: ProviderRefresh | None = field("The result of the refresh. Null until the step is DONE.")


@output(_BOTH)
class RefreshCataloguePayload:
    """The result of `refreshCatalogue`."""

    revision: int = field("The catalogue's revision after the refresh.")
    cursor: Cursor = field("The position in the change log after the refresh.")
    results: Sequence[refresh.ProviderRefresh] = field(
        "The result for each provider.", Policy(_BOTH, rows=Known.PROVIDERS), graphql_type=list[ProviderRefresh]
    )
    changes: Sequence[change.Change] = field(
        "The changes made by the refresh, oldest first.", Policy(_BOTH, rows=FEW), graphql_type=list[Change]
    )


@output(_BOTH)
class ResolveQuarantinePayload:
    """The result of `resolveQuarantine`."""

    revision: int = field("The catalogue's revision after the decision.")
    cursor: Cursor = field("The position in the change log after the decision.")
    accepted: bool = field("Whether the list was accepted. False if it was discarded.")
    provider: ProviderState = field("The provider after the decision.", graphql_type=Provider)

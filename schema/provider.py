"""A provider: who it is, how it stands, and what it offers."""

from collections.abc import Awaitable, Sequence
from datetime import datetime

import strawberry

from catalogue import history
from catalogue.selection import Criteria, select
from catalogue.snapshot import ProviderState
from catalogue.view import ModelView
from catalogue.vocabulary import KeySource, ProviderErrorCode
from schema.arguments import Capabilities, Limit, Newest, Offset, Statuses, bounded
from schema.context import Info
from schema.health import HealthView, ProviderHealth
from schema.model import Model
from schema.policy import POLICY, Known, Policy, Reads, default_reads

Root = strawberry.Parent[ProviderState]


def _name(root: Root) -> str:
    return root.profile.name


def _configured(root: Root) -> bool:
    return root.profile.configured


def _key_source(root: Root) -> KeySource:
    return root.profile.key_source


def _website(root: Root) -> str | None:
    return root.profile.website


def _health(root: Root) -> HealthView:
    return HealthView(root.standing, root.model_count)


def _models(
    root: Root,
    info: Info,
    *,
    capability: Capabilities = None,
    status: Statuses = None,
    limit: Limit = None,
    offset: Offset = 0,
) -> list[ModelView]:
    start, size = bounded("offset", offset) or 0, bounded("limit", limit)
    snapshot = info.context.snapshot
    if root.id not in snapshot.providers:
        return []
    criteria = Criteria(
        providers=frozenset({root.id}), capabilities=frozenset(capability or ()), statuses=frozenset(status or ())
    )
    rows = select(snapshot, criteria)[start:][:size]
    return [state.view(facts, snapshot.judged_at) for state, facts in rows]


def _incidents(root: Root, info: Info, first: Newest = 20) -> Awaitable[Sequence[history.Incident]]:
    return info.context.incidents(root.id, bounded("first", first, 1000) or 0)


@default_reads(Reads.STORE)
@strawberry.type(description="One time a provider was down.")
class Incident:
    """An `Incident` of the catalogue."""

    id: strawberry.ID = strawberry.field(description="Names the incident.")
    started_at: datetime = strawberry.field(description="When the provider went down.")
    ended_at: datetime | None = strawberry.field(description="When it came back; null while it is down.")
    code: ProviderErrorCode = strawberry.field(description="What can be done about it.")
    message: str = strawberry.field(description="What happened, for a person.")


@default_reads(Reads.REVISION)
@strawberry.type(description="Who offers models and publishes a list of them.")
class Provider:
    """A `ProviderState` of a snapshot."""

    id: strawberry.ID = strawberry.field(description="Names the provider in arguments and in model ids.")
    name: str = strawberry.field(resolver=_name, description="Its name, for a person.")
    configured: bool = strawberry.field(
        resolver=_configured, description="Whether it can be read: it has a key, or needs none."
    )
    key_source: KeySource = strawberry.field(resolver=_key_source, description="Whose key reads its list.")
    model_count: int = strawberry.field(description="How many models it lists.")
    health = strawberry.field(
        resolver=_health,
        graphql_type=ProviderHealth,
        description="How it answers.",
        metadata={POLICY: Policy(Reads.HEALTH)},
    )
    models = strawberry.field(
        resolver=_models,
        graphql_type=list[Model],
        description="The models it offers, by name.",
        metadata={
            POLICY: Policy(Reads.REVISION, rows=Known.MODELS_OF_ONE, slicing=("limit",), searches=Known.MODELS_OF_ONE)
        },
    )
    website: str | None = strawberry.field(resolver=_website, description="Where a person reads about it.")
    incidents = strawberry.field(
        resolver=_incidents,
        graphql_type=list[Incident],
        description="The times it was down, newest first.",
        metadata={POLICY: Policy(Reads.STORE, rows=1000, slicing=("first",))},
    )

"""The catalogue as a whole: its position, its age and its size."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from catalogue.snapshot import ProviderState
from schema.policy import POLICY, Known, Policy, Reads, default_reads
from schema.provider import Provider
from schema.scalars import Cursor


@default_reads(Reads.REVISION)
@strawberry.type(description="The catalogue as a whole; its state and its cursor belong together.")
class Catalogue:
    """A snapshot as one caller sees it."""

    revision: int = strawberry.field(description="Counts the moments at which a fact or a status changed.")
    cursor: Cursor = strawberry.field(
        description="The position in the log of changes that this state includes: subscribe with it to miss nothing.",
        metadata={POLICY: Policy(Reads.REVISION | Reads.HEALTH)},
    )
    last_updated: datetime | None = strawberry.field(
        description="When the revision was made; null before the first list."
    )
    total_models: int = strawberry.field(description="How many models all providers list.")
    cache_hit: bool = strawberry.field(description="False when this answer had to wait for a provider.")
    providers: Sequence[ProviderState] = strawberry.field(
        graphql_type=list[Provider],
        description="Every provider, by name.",
        metadata={POLICY: Policy(Reads.REVISION, rows=Known.PROVIDERS)},
    )
    user_provided_keys: list[strawberry.ID] = strawberry.field(
        description="The providers for which this answer holds the caller's own list."
    )

"""What can be followed: a table of the root fields."""

import strawberry

from resolvers.changes import availability_changed, catalogue_changed, provider_health_changed, refresh_progress
from schema.change import Change
from schema.policy import POLICY, Policy, Reads
from schema.refresh import RefreshProgress


@strawberry.type(description="What can be followed; of public data alone, also for callers with keys of their own.")
class Subscription:
    """The table."""

    availability_changed = strawberry.subscription(
        resolver=availability_changed,
        graphql_type=Change,
        description="Models whose status changed, and models that came or went.",
        metadata={POLICY: Policy(Reads.STORE)},
    )
    provider_health_changed = strawberry.subscription(
        resolver=provider_health_changed,
        graphql_type=Change,
        description="Providers whose health changed: ProviderHealthChanged, or Resync.",
        metadata={POLICY: Policy(Reads.STORE)},
    )
    catalogue_changed = strawberry.subscription(
        resolver=catalogue_changed,
        graphql_type=Change,
        description="Every kind of change, filtered.",
        metadata={POLICY: Policy(Reads.STORE)},
    )
    refresh_progress = strawberry.subscription(
        resolver=refresh_progress,
        graphql_type=RefreshProgress,
        description="The steps of running refreshes, for progress bars.",
        metadata={POLICY: Policy(Reads.HEALTH)},
    )

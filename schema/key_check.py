"""What a provider says of a caller's own key."""

import strawberry

from catalogue.snapshot import ProviderState
from catalogue.vocabulary import KeyCheckOutcome
from schema.policy import Reads, default_reads
from schema.provider import Provider


@default_reads(Reads.CALLER)
@strawberry.type(description="What a provider says of the caller's own key.")
class ProviderKeyCheck:
    """A `KeyCheck` of the catalogue beside its provider."""

    provider: ProviderState = strawberry.field(graphql_type=Provider, description="The provider that was asked.")
    outcome: KeyCheckOutcome = strawberry.field(description="What it said.")
    model_count: int | None = strawberry.field(description="How many models the key can use, where that is known.")
    message: str = strawberry.field(description="The outcome in words for a person, with the remedy.")

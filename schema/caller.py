"""The caller's rate limit, and the check of the caller's own key."""

from datetime import datetime

from catalogue.provider import ProviderState
from catalogue.vocabulary import KeyCheckOutcome
from schema.declaration import field, output
from schema.policy import Reads
from schema.provider import Provider


@output(Reads.CALLER)
class ClientLimit:
    """The caller's rate limit and the cost limit of an operation."""

    limit: int | None = field("The number of requests allowed per window. Null if the caller has no rate limit.")
    remaining: int | None = field("The number of requests left in the window. Null if the caller has no rate limit.")
    reset_at: datetime | None = field("The time at which the window ends. Null if the caller has no rate limit.")
    cost: int = field("The cost of this operation.")
    cost_limit: int = field("The maximum cost of an operation. One that exceeds it gets a `QUERY_TOO_COMPLEX` error.")


@output(Reads.CALLER)
class ProviderKeyCheck:
    """The result of checking the caller's own key."""

    provider: ProviderState = field("The provider that was asked.", graphql_type=Provider)
    outcome: KeyCheckOutcome = field("The outcome of the check.")
    model_count: int | None = field("The number of models that the key can use. Null if unknown.")
    message: str = field("An explanation of the outcome, and what to do about it, for display.")

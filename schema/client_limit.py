"""The caller's rate limit."""

from datetime import datetime

from schema.declaration import field, output
from schema.policy import Reads


@output(Reads.CALLER)
class ClientLimit:
    """The caller's rate limit and the cost limit of an operation."""

    limit: int | None = field("The number of requests allowed per window. Null if the caller has no rate limit.")
    remaining: int | None = field("The number of requests left in the window. Null if the caller has no rate limit.")
    reset_at: datetime | None = field("The time at which the window ends. Null if the caller has no rate limit.")
    cost: int = field("The cost of this operation.")
    cost_limit: int = field("The maximum cost of an operation. One that exceeds it gets a `QUERY_TOO_COMPLEX` error.")

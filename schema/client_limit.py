"""What a caller may still ask for."""

from datetime import datetime

import strawberry

from schema.policy import Reads, default_reads


@default_reads(Reads.CALLER)
@strawberry.type(description="A caller's own allowance; a field is null where no limit applies.")
class ClientLimit:
    """An `Allowance` with the cost of the operation that asks."""

    limit: int | None = strawberry.field(description="How many requests the current window allows.")
    remaining: int | None = strawberry.field(description="How many requests are left in it.")
    reset_at: datetime | None = strawberry.field(description="When the window ends.")
    cost: int = strawberry.field(description="What this operation costs.")
    cost_limit: int = strawberry.field(description="The most that one operation may cost.")

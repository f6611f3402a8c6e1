"""What a model's former id stands for now."""

from datetime import datetime

import strawberry

from catalogue.vocabulary import MigrationReason
from schema.policy import Reads, default_reads


@default_reads(Reads.REVISION)
@strawberry.type(description="One step from a model's former id to the id that takes its place.")
class ModelMigration:
    """A `ModelMigration` of the catalogue."""

    old_id: strawberry.ID = strawberry.field(description="The id that was used until then.")
    new_id: strawberry.ID = strawberry.field(description="The id that takes its place.")
    reason: MigrationReason = strawberry.field(description="Why it does.")
    automatic: bool = strawberry.field(description="Whether it is followed without asking; if not, it is a proposal.")
    detected: bool = strawberry.field(description="Whether the catalogue worked it out by itself from two lists.")
    confidence: float | None = strawberry.field(
        description="How sure a detected one is, 0..1; null when it was said, not detected."
    )
    since: datetime | None = strawberry.field(description="When it became known; null for what was configured.")

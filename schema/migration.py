"""The migration of a model id."""

from datetime import datetime

import strawberry

from catalogue.vocabulary import MigrationReason
from schema.declaration import field, output
from schema.policy import Reads


@output(Reads.REVISION)
class ModelMigration:
    """The replacement of a former model id by another one."""

    old_id: strawberry.ID = field("The former model id.")
    new_id: strawberry.ID = field("The model id that replaces it.")
    reason: MigrationReason = field("The reason for the migration.")
    automatic: bool = field("Whether the server applies the migration by itself. If false, it is a proposal.")
    detected: bool = field("Whether the catalogue detected the migration. If false, it was configured or stated.")
    confidence: float | None = field("The confidence of the detection, from 0 to 1. Null if it was not detected.")
    since: datetime | None = field("The time at which the migration became known. Null if it was configured.")

"""What a model's former id stands for now, and how far a chain of such steps leads."""

from collections.abc import Iterable
from datetime import datetime

from catalogue.facts import Record
from catalogue.vocabulary import MigrationReason

LONGEST_PATH = 16
"""So many steps are followed at most."""


class ModelMigration(Record):
    """One step from a model's former id to the id that takes its place."""

    old_id: str
    """The id that was used until then."""
    new_id: str
    """The id that takes its place."""
    reason: MigrationReason
    """Why it does."""
    automatic: bool
    """Whether it is followed without asking; if not, it is a proposal."""
    detected: bool = False
    """Whether the catalogue worked it out by itself from two lists."""
    confidence: float | None = None
    """How sure a detected one is, 0..1; null when it was said, not detected."""
    since: datetime | None = None
    """When it became known; null for what was configured."""


def follow(model_id: str, migrations: Iterable[ModelMigration]) -> tuple[str, tuple[ModelMigration, ...]]:
    """Where an id leads by automatic steps, and the steps; of several from one id the first counts.

    No id is visited twice: in a circle the last one not seen before is the answer.
    """
    steps: dict[str, ModelMigration] = {}
    for migration in migrations:
        if migration.automatic:
            steps.setdefault(migration.old_id, migration)
    path: list[ModelMigration] = []
    seen = {model_id}
    while len(path) < LONGEST_PATH and (step := steps.get(model_id)) and step.new_id not in seen:
        path.append(step)
        model_id = step.new_id
        seen.add(model_id)
    return model_id, tuple(path)

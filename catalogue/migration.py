"""Successors of former model ids, and where a chain of them leads."""

from collections.abc import Iterable
from datetime import datetime

from catalogue.facts import Record
from catalogue.vocabulary import MigrationReason

LONGEST_PATH = 16
"""The most steps that are followed."""


class ModelMigration(Record):
    """One step from a model's former id to the id that takes its place."""

    old_id: str
    """The id that was used until then."""
    new_id: str
    """The id that takes its place."""
    reason: MigrationReason
    """Why the id changed."""
    automatic: bool
    """Whether it is followed automatically; otherwise it is a proposal."""
    detected: bool = False
    """Whether the catalogue detected it by comparing two lists."""
    confidence: float | None = None
    """How certain a detected one is, 0..1; null for a configured one."""
    since: datetime | None = None
    """When it was detected; null for a configured one."""


def follow(model_id: str, migrations: Iterable[ModelMigration]) -> tuple[str, tuple[ModelMigration, ...]]:
    """The id that automatic steps lead to, and the steps. Of several steps from one id the first counts.

    No id is visited twice: a circle ends at its last new id.
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

"""Settings of a model migration: an entry of `[[migrations]]`."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo, field_validator

from catalogue.migration import ModelMigration
from catalogue.vocabulary import MigrationReason
from server.config.provider_settings import matching

MOST_MIGRATIONS = 1_000

ModelId = Annotated[
    str,
    matching(
        r"[^/\s]{1,64}/[^\x00-\x1f\x7f]{1,255}",
        "must be a model id: the provider's id, a slash, and the provider's own model id",
    ),
]


class MigrationSettings(BaseModel):
    """An entry of `[[migrations]]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    old_id: ModelId
    """The former model id; unique among the entries."""
    new_id: ModelId
    """The model id that replaces it."""
    reason: MigrationReason = MigrationReason.RENAMED
    """The reason for the migration."""
    automatic: bool = True
    """Whether clients should follow it without asking; if not, it is a proposal."""

    @field_validator("new_id")
    @classmethod
    def _leads_elsewhere(cls, new_id: str, info: ValidationInfo) -> str:
        if new_id == info.data.get("old_id"):
            raise ValueError("must differ from old_id")
        return new_id

    def migration(self) -> ModelMigration:
        """Convert the entry to the catalogue's type."""
        return ModelMigration(**self.model_dump())


def _few_and_once_each(migrations: tuple[MigrationSettings, ...]) -> tuple[MigrationSettings, ...]:
    if len(migrations) > MOST_MIGRATIONS:
        raise ValueError(f"must be at most {MOST_MIGRATIONS} entries")
    first: dict[str, int] = {}
    for place, migration in enumerate(migrations):
        if (earlier := first.setdefault(migration.old_id, place)) != place:
            raise ValueError(f"migrations[{earlier}] and migrations[{place}] have the same old_id")
    return migrations


Migrations = Annotated[tuple[MigrationSettings, ...], AfterValidator(_few_and_once_each)]

"""What the operator says of one former model id: an entry `[[migrations]]`."""

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
        "must be a model's id: the provider's id, a slash, and the provider's own model id",
    ),
]


class MigrationSettings(BaseModel):
    """An entry of `[[migrations]]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    old_id: ModelId
    """The id that was used until then; once in all entries."""
    new_id: ModelId
    """The id that takes its place."""
    reason: MigrationReason = MigrationReason.RENAMED
    """Why it does."""
    automatic: bool = True
    """Whether it is followed without asking; if not, it is a proposal."""

    @field_validator("new_id")
    @classmethod
    def _leads_elsewhere(cls, new_id: str, info: ValidationInfo) -> str:
        if new_id == info.data.get("old_id"):
            raise ValueError("must differ from old_id")
        return new_id

    def migration(self) -> ModelMigration:
        """The same as the catalogue has it."""
        return ModelMigration(old_id=self.old_id, new_id=self.new_id, reason=self.reason, automatic=self.automatic)


def _few_and_once_each(migrations: tuple[MigrationSettings, ...]) -> tuple[MigrationSettings, ...]:
    if len(migrations) > MOST_MIGRATIONS:
        raise ValueError(f"must be at most {MOST_MIGRATIONS} entries")
    first: dict[str, int] = {}
    for place, migration in enumerate(migrations):
        if (earlier := first.setdefault(migration.old_id, place)) != place:
            raise ValueError(f"migrations[{earlier}] and migrations[{place}] have the same old_id")
    return migrations


Migrations = Annotated[tuple[MigrationSettings, ...], AfterValidator(_few_and_once_each)]

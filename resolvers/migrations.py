"""The root fields for migrations and for the default model after them."""

from collections.abc import Sequence

from catalogue import migration
from catalogue.view import ModelView
from resolvers.context import Info
from schema.declaration import resolved
from schema.migration import ModelMigration
from schema.model import Model
from schema.policy import Policy, Reads


@resolved(Model | None, Policy(Reads.REVISION))
async def default_model(info: Info) -> ModelView | None:
    """The configured default model, after automatic migrations. Null if none is configured or it is not listed."""
    services = info.context.services
    if services.default_model is None:
        return None
    model_id, _ = migration.follow(services.default_model, services.migrations)
    return (await info.context.overlay()).snapshot.model(model_id)


@resolved(list[ModelMigration], Policy(Reads.REVISION, rows=100))
def migrations(info: Info) -> Sequence[migration.ModelMigration]:
    """All migrations of model ids, including proposals."""
    return info.context.services.migrations

"""Which migrations are known, and the default model after them."""

from collections.abc import Sequence

from catalogue.migration import ModelMigration, follow
from catalogue.view import ModelView
from resolvers.info import Info


async def default_model(info: Info) -> ModelView | None:
    """The configured model after automatic migrations; null when there is none, or it is not known."""
    services = info.context.services
    if services.default_model is None:
        return None
    model_id, _ = follow(services.default_model, services.migrations)
    return (await info.context.overlay()).snapshot.model(model_id)


def migrations(info: Info) -> Sequence[ModelMigration]:
    """Every migration, proposals included."""
    return info.context.services.migrations

"""What a model's former id stands for now."""

import strawberry

from catalogue import migration


@strawberry.pydantic.type(description="One step from a model's former id to the id that takes its place.")
class ModelMigration(migration.ModelMigration):
    """The catalogue's migration as a GraphQL type."""

    old_id: strawberry.ID
    """The id that was used until then."""
    new_id: strawberry.ID
    """The id that takes its place."""

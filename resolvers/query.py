"""What can be asked: a table of the root fields."""

import strawberry

from resolvers.audit import audit_log
from resolvers.catalogue import catalogue, client_limit
from resolvers.migrations import default_model, migrations
from resolvers.models import model, models, models_connection
from resolvers.providers import provider, provider_health, providers
from schema.audit import AuditConnection
from schema.catalogue import Catalogue
from schema.client_limit import ClientLimit
from schema.connection import ModelConnection
from schema.health import ProviderHealth
from schema.migration import ModelMigration
from schema.model import Model
from schema.provider import Provider
from schema.reach import Reach, reaching


@strawberry.type(description="What can be asked; every answer reads one state of the catalogue and waits for nobody.")
class Query:
    """The table."""

    models = strawberry.field(
        resolver=models,
        graphql_type=list[Model],
        description="Models that meet all arguments.",
        metadata=reaching(Reach.CATALOGUE),
    )
    models_connection = strawberry.field(
        resolver=models_connection,
        graphql_type=ModelConnection,
        description="Models that meet all arguments, a page at a time, by default the first 100.",
        metadata=reaching(Reach.CATALOGUE),
    )
    model = strawberry.field(
        resolver=model,
        graphql_type=Model | None,
        description="The model with this id; null where there is none.",
    )
    providers = strawberry.field(
        resolver=providers, graphql_type=list[Provider], description="Every provider, by name."
    )
    provider = strawberry.field(
        resolver=provider,
        graphql_type=Provider | None,
        description="The provider with this id; null where there is none.",
    )
    provider_health = strawberry.field(
        resolver=provider_health,
        graphql_type=list[ProviderHealth],
        description="How providers answer, now and over time.",
    )
    catalogue = strawberry.field(resolver=catalogue, graphql_type=Catalogue, description="The catalogue as a whole.")
    client_limit = strawberry.field(
        resolver=client_limit, graphql_type=ClientLimit, description="The caller's own allowance."
    )
    default_model = strawberry.field(
        resolver=default_model,
        graphql_type=Model | None,
        description="What new users start with: the configured default after automatic migrations; "
        "null when none is configured or it is not known.",
    )
    migrations = strawberry.field(
        resolver=migrations,
        graphql_type=list[ModelMigration],
        description="What former model ids stand for now, as configured.",
    )
    audit_log = strawberry.field(
        resolver=audit_log,
        graphql_type=AuditConnection,
        description="For admins: who did what, newest first.",
        metadata=reaching(Reach.NOTHING),
    )

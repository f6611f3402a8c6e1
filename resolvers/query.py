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
from schema.policy import POLICY, Known, Policy, Reads
from schema.provider import Provider

_FILTERED = {"filter": Reads.HEALTH | Reads.CLOCK}
"""A filter may name sources, and a source grows old."""


@strawberry.type(description="What can be asked; every answer reads one state of the catalogue and waits for nobody.")
class Query:
    """The table."""

    models = strawberry.field(
        resolver=models,
        graphql_type=list[Model],
        description="Models that meet all arguments.",
        metadata={
            POLICY: Policy(
                Reads.REVISION, rows=Known.MODELS, slicing=("limit",), searches=Known.MODELS, reads_with=_FILTERED
            )
        },
    )
    models_connection = strawberry.field(
        resolver=models_connection,
        graphql_type=ModelConnection,
        description="Models that meet all arguments, a page at a time, by default the first 100.",
        metadata={
            POLICY: Policy(
                Reads.REVISION,
                rows=Known.MODELS,
                slicing=("first", "last"),
                sized_fields=("edges", "nodes"),
                searches=Known.MODELS,
                reads_with=_FILTERED,
            )
        },
    )
    model = strawberry.field(
        resolver=model,
        graphql_type=Model | None,
        description="The model with this id; null where there is none.",
        metadata={POLICY: Policy(Reads.REVISION)},
    )
    providers = strawberry.field(
        resolver=providers,
        graphql_type=list[Provider],
        description="Every provider, by name.",
        metadata={POLICY: Policy(Reads.REVISION, rows=Known.PROVIDERS)},
    )
    provider = strawberry.field(
        resolver=provider,
        graphql_type=Provider | None,
        description="The provider with this id; null where there is none.",
        metadata={POLICY: Policy(Reads.REVISION)},
    )
    provider_health = strawberry.field(
        resolver=provider_health,
        graphql_type=list[ProviderHealth],
        description="How providers answer, now and over time.",
        metadata={POLICY: Policy(Reads.HEALTH, rows=Known.PROVIDERS)},
    )
    catalogue = strawberry.field(
        resolver=catalogue,
        graphql_type=Catalogue,
        description="The catalogue as a whole.",
        metadata={POLICY: Policy(Reads.REVISION)},
    )
    client_limit = strawberry.field(
        resolver=client_limit,
        graphql_type=ClientLimit,
        description="The caller's own allowance.",
        metadata={POLICY: Policy(Reads.CALLER | Reads.CLOCK)},
    )
    default_model = strawberry.field(
        resolver=default_model,
        graphql_type=Model | None,
        description="What new users start with: the configured default after automatic migrations; "
        "null when none is configured or it is not known.",
        metadata={POLICY: Policy(Reads.REVISION)},
    )
    migrations = strawberry.field(
        resolver=migrations,
        graphql_type=list[ModelMigration],
        description="What former model ids stand for now, as configured.",
        metadata={POLICY: Policy(Reads.REVISION, rows=100)},
    )
    audit_log = strawberry.field(
        resolver=audit_log,
        graphql_type=AuditConnection,
        description="For admins: who did what, newest first.",
        metadata={
            POLICY: Policy(Reads.STORE | Reads.CALLER, rows=1000, slicing=("first",), sized_fields=("edges", "nodes"))
        },
    )

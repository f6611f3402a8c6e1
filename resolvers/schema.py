"""The GraphQL schema, built from the root fields."""

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import create_type

from resolvers.audit import audit_log
from resolvers.catalogue import catalogue, client_limit
from resolvers.changes import availability_changed, catalogue_changed, provider_health_changed, refresh_progress
from resolvers.migrations import default_model, migrations
from resolvers.models import model, models, models_connection
from resolvers.providers import check_provider_key, provider, provider_health, providers
from resolvers.refresh import refresh_catalogue, resolve_quarantine
from schema.change import KINDS
from schema.scalars import SCALARS

QUERIES = [
    models,
    models_connection,
    model,
    providers,
    provider,
    provider_health,
    catalogue,
    default_model,
    migrations,
    client_limit,
    audit_log,
]
MUTATIONS = [refresh_catalogue, resolve_quarantine, check_provider_key]
SUBSCRIPTIONS = [catalogue_changed, availability_changed, provider_health_changed, refresh_progress]

_QUERY = (
    "Read-only queries. Each reads one consistent snapshot of the catalogue and waits for a provider only "
    "to list models with the caller's own key or to read `endpoints`."
)
_MUTATION = "Operations with side effects. Over HTTP, they require POST."
_SUBSCRIPTION = "Streams of events. They contain public data only, never lists read with the caller's own keys."


def build_schema() -> strawberry.Schema:
    """Build the schema. Its SDL is checked in as `schema/schema.graphql`."""
    return strawberry.Schema(
        query=create_type("Query", QUERIES, description=_QUERY),
        mutation=create_type("Mutation", MUTATIONS, description=_MUTATION),
        subscription=create_type("Subscription", SUBSCRIPTIONS, description=_SUBSCRIPTION),
        types=KINDS,
        config=StrawberryConfig(scalar_map=SCALARS),
    )

"""The GraphQL operations of the command line, and the columns of their results."""

from datetime import datetime
from operator import itemgetter

from server.command.tables import Column, Row

MODELS = """
query Models($provider: [ID!], $capability: [Capability!], $status: [ModelStatus!], $search: String, $limit: Int) {
  models(provider: $provider, capability: $capability, status: $status, search: $search, limit: $limit) {
    id name provider { id name } status errorMessage capabilities contextMax outputMax
    pricing { inputPerMillion: input(per: MILLION) outputPerMillion: output(per: MILLION) currency }
    expiresAt lastChecked source
  }
}
"""
HEALTH = """
query Health($provider: [ID!]) {
  providerHealth(provider: $provider) {
    provider { id name configured } status modelCount latencyMs lastChecked lastSuccessAt consecutiveFailures
    error { code message retryable at } quarantine { id reason }
  }
}
"""
REFRESH = """
mutation Refresh($provider: [ID!], $force: Boolean!) {
  refreshCatalogue(provider: $provider, force: $force) {
    results { provider { id } outcome added removed changed modelCount durationMs error { code message } }
  }
}
"""
PROGRESS = "subscription Progress { refreshProgress { provider { id } step received modelCount } }"
DOCUMENTS = (MODELS, HEALTH, REFRESH, PROGRESS)
"""All operations of the command line."""


def _provider(row: Row) -> object:
    return row["provider"]["id"]


def _problem(row: Row) -> str | None:
    if quarantine := row.get("quarantine"):
        return f"Quarantined as {quarantine['id']}: {quarantine['reason']}"
    return str(row["error"]["message"]) if row["error"] else None


def _last_success(row: Row) -> datetime | None:
    return datetime.fromisoformat(row["lastSuccessAt"]) if row["lastSuccessAt"] else None


MODEL_COLUMNS = (
    Column("Model", itemgetter("id"), wraps=True),
    Column("Name", itemgetter("name"), wraps=True, min_width=20, leave_out=1),
    Column("Status", itemgetter("status")),
    Column("Context", itemgetter("contextMax"), number=True),
    Column("$/M in", lambda model: (model["pricing"] or {}).get("inputPerMillion"), number=True),
    Column("$/M out", lambda model: (model["pricing"] or {}).get("outputPerMillion"), number=True),
    Column(
        "Capabilities", lambda model: ", ".join(model["capabilities"]).lower(), wraps=True, min_width=30, leave_out=2
    ),
    Column("Reason", itemgetter("errorMessage"), note=True),
)
HEALTH_COLUMNS = (
    Column("Provider", _provider),
    Column("Status", itemgetter("status")),
    Column("Models", itemgetter("modelCount"), number=True),
    Column("Latency ms", lambda health: health["latencyMs"] and round(health["latencyMs"]), number=True, leave_out=1),
    Column("Last success", _last_success),
    Column("Problem", _problem, wraps=True, min_width=32),
)
REFRESH_COLUMNS = (
    Column("Provider", _provider),
    Column("Outcome", itemgetter("outcome")),
    Column("Models", itemgetter("modelCount"), number=True),
    *(Column(name.title(), itemgetter(name), number=True) for name in ("added", "removed", "changed")),
    Column("Seconds", lambda refresh: f"{refresh['durationMs'] / 1000:.1f}", number=True),
    Column("Problem", _problem, wraps=True, min_width=20),
)
FAILED = frozenset({"FAILED", "KEPT_LAST_GOOD", "QUARANTINED"})
"""The outcomes of a refresh after which the provider keeps its old list."""

"""The GraphQL operations of the command line, and the table rows for their results."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from server.command.tables import Column

Row = Sequence[object]

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

MODEL_COLUMNS = (
    Column(title="Model", wraps=True),
    Column(title="Name", wraps=True, min_width=20, leave_out=1),
    Column(title="Status"),
    Column(title="Context", number=True),
    Column(title="$/M in", number=True),
    Column(title="$/M out", number=True),
    Column(title="Capabilities", wraps=True, min_width=30, leave_out=2),
    Column(title="Reason", note=True),
)
HEALTH_COLUMNS = (
    Column(title="Provider"),
    Column(title="Status"),
    Column(title="Models", number=True),
    Column(title="Latency ms", number=True, leave_out=1),
    Column(title="Last success"),
    Column(title="Problem", wraps=True, min_width=32),
)
REFRESH_COLUMNS = (
    Column(title="Provider"),
    Column(title="Outcome"),
    *(Column(title=title, number=True) for title in ("Models", "Added", "Removed", "Changed", "Seconds")),
    Column(title="Problem", wraps=True, min_width=20),
)

_FAILED = frozenset({"FAILED", "KEPT_LAST_GOOD", "QUARANTINED"})


def model_row(model: Mapping[str, Any]) -> Row:
    """The cells of a model, for `MODEL_COLUMNS`."""
    price = model["pricing"] or {}
    prices = (price.get("inputPerMillion"), price.get("outputPerMillion"))
    known = [capability.lower() for capability in model["capabilities"]]
    return (model["id"], model["name"], model["status"], model["contextMax"], *prices, known, model["errorMessage"])


def health_row(health: Mapping[str, Any]) -> Row:
    """The cells of a provider's health, for `HEALTH_COLUMNS`."""
    latency, success = health["latencyMs"], health["lastSuccessAt"]
    return (
        health["provider"]["id"],
        health["status"],
        health["modelCount"],
        None if latency is None else round(latency),
        datetime.fromisoformat(success) if success else None,
        _problem(health),
    )


def refresh_row(result: Mapping[str, Any]) -> Row:
    """The cells of a provider's refresh, for `REFRESH_COLUMNS`."""
    counts = (result[name] for name in ("modelCount", "added", "removed", "changed"))
    seconds = f"{result['durationMs'] / 1000:.1f}"
    return (result["provider"]["id"], result["outcome"], *counts, seconds, _problem(result))


def is_down(health: Mapping[str, Any]) -> bool:
    """Whether a provider is down."""
    return bool(health["status"] == "DOWN")


def has_failed(result: Mapping[str, Any]) -> bool:
    """Whether a refresh failed and the provider kept its old list."""
    return result["outcome"] in _FAILED


def _problem(row: Mapping[str, Any]) -> str | None:
    if quarantine := row.get("quarantine"):
        return f"Quarantined as {quarantine['id']}: {quarantine['reason']}"
    return str(row["error"]["message"]) if row["error"] else None

"""What the command line asks a running server, and the rows it makes of the answers."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from server.remote import Remote, RemoteError

Row = Sequence[object]

MODELS = """
query Models($provider: [ID!], $capability: [Capability!], $status: [ModelStatus!], $search: String, $limit: Int) {
  models(provider: $provider, capability: $capability, status: $status, search: $search, limit: $limit) {
    id name provider { id name } status errorMessage capabilities contextMax outputMax
    pricing { input(per: MILLION) output(per: MILLION) currency } expiresAt lastChecked source
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

MODEL_COLUMNS = ("Model", "Name", "Status", "Context", "$/M in", "$/M out", "Capabilities")
HEALTH_COLUMNS = ("Provider", "Status", "Models", "Latency ms", "Last success", "What is wrong")
REFRESH_COLUMNS = ("Provider", "Outcome", "Models", "Added", "Removed", "Changed", "Seconds", "What is wrong")

_FAILED = frozenset({"FAILED", "KEPT_LAST_GOOD", "QUARANTINED"})


def model_row(model: Mapping[str, Any]) -> Row:
    """A model in `MODEL_COLUMNS`."""
    price = model["pricing"] or {}
    prices = (price.get("input"), price.get("output"))
    known = [capability.lower() for capability in model["capabilities"]]
    return (model["id"], model["name"], model["status"], model["contextMax"], *prices, known)


def health_row(health: Mapping[str, Any]) -> Row:
    """A provider's health in `HEALTH_COLUMNS`."""
    latency = health["latencyMs"]
    return (
        health["provider"]["id"],
        health["status"],
        health["modelCount"],
        None if latency is None else round(latency),
        health["lastSuccessAt"],
        _wrong(health),
    )


def refresh_row(result: Mapping[str, Any]) -> Row:
    """What a refresh did for a provider, in `REFRESH_COLUMNS`."""
    counts = (result[name] for name in ("modelCount", "added", "removed", "changed"))
    return (result["provider"]["id"], result["outcome"], *counts, round(result["durationMs"] / 1000, 1), _wrong(result))


def is_down(health: Mapping[str, Any]) -> bool:
    """Whether a provider is down."""
    return bool(health["status"] == "DOWN")


def has_failed(result: Mapping[str, Any]) -> bool:
    """Whether a refresh left a provider with its old list."""
    return result["outcome"] in _FAILED


@contextmanager
def telling_progress(remote: Remote, say: Callable[[str], None]) -> Iterator[threading.Thread]:
    """Say the steps of refreshes meanwhile, in a thread; a server that streams none is no reason to fail."""
    running, over = threading.Event(), threading.Event()

    def follow() -> None:
        try:
            for data in remote.follow(PROGRESS):
                running.set()
                if over.is_set():
                    return
                if data:
                    say(_step(data["refreshProgress"]))
        except (RemoteError, OSError, ValueError, KeyError, TypeError):
            running.set()

    following = threading.Thread(target=follow, daemon=True)
    following.start()
    running.wait(timeout=2.0)
    try:
        yield following
    finally:
        over.set()


def _step(progress: Mapping[str, Any]) -> str:
    received = progress["received"]
    size = f", {received / 1024:,.0f} KiB" if received else ""
    count = progress["modelCount"]
    return f"{progress['provider']['id']}: {progress['step'].lower()}{size}{f', {count} models' if count else ''}"


def _wrong(row: Mapping[str, Any]) -> str | None:
    if row["error"]:
        return str(row["error"]["message"])
    quarantine = row.get("quarantine")
    return f"Held back: {quarantine['reason']}" if quarantine else None

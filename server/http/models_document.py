"""The JSON document of models for clients without GraphQL: a snapshot's rows in the words of the contract."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from catalogue.facts import Price, RateLimit
from catalogue.ports.on_demand import Overlay
from catalogue.ranking import Row
from catalogue.selection import Criteria, select
from catalogue.snapshot import ProviderState, Snapshot
from catalogue.vocabulary import Capability, HealthStatus

_STATUS_WORDS: Final = {
    HealthStatus.HEALTHY: "healthy",
    HealthStatus.DEGRADED: "degraded",
    HealthStatus.UNKNOWN: "degraded",
    HealthStatus.DOWN: "error",
}


@dataclass(frozen=True, slots=True)
class ModelsDocument:
    """The document, ready to send."""

    body: bytes
    """UTF-8 JSON."""
    tag: str
    """A weak validator: documents share it between which nothing but the times of checks differs."""


def present(overlay: Overlay, criteria: Criteria) -> ModelsDocument:
    """The document of the models that meet the criteria; raises UnknownProvider."""
    snapshot = overlay.snapshot
    writing = _Writing()
    models = [writing.dated(*_model(snapshot, row)) for row in select(snapshot, criteria)]
    providers = {state.id: writing.dated(*_provider(state)) for state in snapshot.providers.values()}
    metadata: dict[str, object] = _said(
        {
            "lastUpdated": snapshot.updated_at,
            "totalModels": snapshot.total_models,
            "cacheHit": not overlay.waited,
        },
        userProvidedKeys=list(overlay.own) or None,
    )
    writing.lasting({**metadata, "providers": list(providers)})
    body = _json({"models": models, "metadata": metadata | {"providers": providers}})
    return ModelsDocument(body, f'W/"{writing.digest}"')


class _Writing:
    """Writes a document part by part, and sums up all that lasts until something changes."""

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=16)

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    def lasting(self, part: dict[str, Any]) -> bytes:
        written = _json(part)
        self._hash.update(written)
        return written

    def dated(self, part: dict[str, Any], checked: datetime | None) -> orjson.Fragment:
        """An object with a time of a check, which does not last."""
        return orjson.Fragment(self.lasting(part)[:-1] + b',"lastChecked":' + _json(checked) + b"}")


def _json(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)


def _said(required: dict[str, Any], **optional: object) -> dict[str, Any]:
    """An object without the optional properties that are not known."""
    return required | {name: value for name, value in optional.items() if value is not None}


def _model(snapshot: Snapshot, row: Row) -> tuple[dict[str, Any], datetime]:
    """What the document says of a model, and when its provider was last asked."""
    facts = row.facts
    view = row.state.view(facts, snapshot.judged_at)
    health = view.provider_health
    told = _said(
        {
            "id": facts.id,
            "provider": row.state.profile.name,
            "name": facts.name,
            "capabilities": [c.value for c in Capability if c in facts.capabilities],
            "premium": facts.premium,
            "vision": facts.vision,
            "status": view.status.value,
        },
        description=facts.description,
        contextMax=facts.context_max,
        apiVersion=facts.api_version,
        errorMessage=view.error_message,
        providerHealth=None if health is HealthStatus.UNKNOWN else health.value,
        pricing=_pricing(facts.price),
        rateLimit=_rate_limit(facts.limits),
    )
    return told, view.last_checked


def _pricing(price: Price | None) -> dict[str, Any] | None:
    if price is None:
        return None
    amounts = {"input": price.input, "output": price.output}
    return {name: float(amount) for name, amount in amounts.items() if amount is not None} | {
        "currency": price.currency
    }


def _rate_limit(limit: RateLimit | None) -> dict[str, Any] | None:
    if limit is None:
        return None
    return _said({}, requestsPerMinute=limit.requests_per_minute, tokensPerMinute=limit.tokens_per_minute)


def _provider(state: ProviderState) -> tuple[dict[str, Any], datetime | None]:
    """What the document says of a provider, and when it was last asked."""
    standing = state.standing
    told = _said(
        {"status": _STATUS_WORDS[standing.status], "modelCount": state.model_count},
        error=standing.error.message if standing.error else None,
    )
    return told, standing.last_checked

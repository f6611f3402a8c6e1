"""The JSON document of models for those who speak no GraphQL: a snapshot's rows in the words of the contract."""

from typing import Any, Final

import orjson

from catalogue.facts import Price, RateLimit
from catalogue.ports import Overlay
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


def present(overlay: Overlay, criteria: Criteria) -> bytes:
    """The document of the models that meet the criteria; UnknownProvider for a provider that is none."""
    snapshot = overlay.snapshot
    document = {
        "models": [_model(snapshot, row) for row in select(snapshot, criteria)],
        "metadata": _said(
            {
                "lastUpdated": snapshot.updated_at,
                "providers": {state.id: _provider(state) for state in snapshot.providers.values()},
                "totalModels": snapshot.total_models,
                "cacheHit": not overlay.waited,
            },
            userProvidedKeys=list(overlay.own) or None,
        ),
    }
    return orjson.dumps(document, option=orjson.OPT_UTC_Z)


def _said(required: dict[str, Any], **optional: object) -> dict[str, Any]:
    """An object without what is not known of its optional properties."""
    return required | {name: value for name, value in optional.items() if value is not None}


def _model(snapshot: Snapshot, row: Row) -> dict[str, Any]:
    facts = row.facts
    view = row.state.view(facts, snapshot.judged_at)
    health = view.provider_health
    return _said(
        {
            "id": facts.id,
            "provider": row.state.profile.name,
            "name": facts.name,
            "capabilities": [c.value for c in Capability if c in facts.capabilities],
            "premium": facts.premium,
            "vision": facts.vision,
            "status": view.status.value,
            "lastChecked": view.last_checked,
        },
        description=facts.description,
        contextMax=facts.context_max,
        apiVersion=facts.api_version,
        errorMessage=view.error_message,
        providerHealth=None if health is HealthStatus.UNKNOWN else health.value,
        pricing=_pricing(facts.price),
        rateLimit=_rate_limit(facts.limits),
    )


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


def _provider(state: ProviderState) -> dict[str, Any]:
    standing = state.standing
    return _said(
        {
            "status": _STATUS_WORDS[standing.status],
            "lastChecked": standing.last_checked,
            "modelCount": state.model_count,
        },
        error=standing.error.message if standing.error else None,
    )

"""The JSON document of models for those who speak no GraphQL: a snapshot's rows in the words of the contract."""

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from catalogue.facts import ModelFacts, Price, RateLimit
from catalogue.ports.on_demand import Overlay
from catalogue.provider import ProviderRevision, ProviderState
from catalogue.selection import Criteria, select
from catalogue.snapshot import Snapshot
from catalogue.status import Rule
from catalogue.vocabulary import Capability, HealthStatus, StatusCause

_STATUS_WORDS: Final = {
    HealthStatus.HEALTHY: "healthy",
    HealthStatus.DEGRADED: "degraded",
    HealthStatus.UNKNOWN: "degraded",
    HealthStatus.DOWN: "error",
}


_LASTING: Final = {StatusCause.LIST, StatusCause.ENDING}
"""Causes whose words stay the same for as long as the status does."""


@dataclass(frozen=True, slots=True)
class ModelsDocument:
    """The document, ready to send."""

    body: bytes
    """UTF-8 JSON."""
    tag: str
    """A weak validator. Documents share it that differ in nothing but the times of checks."""


@dataclass(frozen=True, slots=True)
class _Part:
    """The written models of one provider, which last as long as its revision."""

    of: ProviderRevision
    models: dict[str, bytes] = field(default_factory=dict)
    """By model id: an object without its end."""

    def model(self, facts: ModelFacts, state: ProviderState) -> bytes:
        if facts.id not in self.models:
            self.models[facts.id] = _json(_model(facts, state))[:-1]
        return self.models[facts.id]


class ModelsDocuments:
    """Writes documents. What lasts of a provider is written once for each of its revisions, the times each time."""

    def __init__(self) -> None:
        self._parts: dict[str, _Part] = {}

    def present(self, overlay: Overlay, criteria: Criteria) -> ModelsDocument:
        """Write the document of the models that meet the criteria. Raises UnknownProvider."""
        snapshot = overlay.snapshot
        self._parts = {id_: self._part(state) for id_, state in snapshot.providers.items()}
        ends, digest, models = _Ends(snapshot), hashlib.blake2b(digest_size=16), []
        for facts in select(snapshot, criteria):
            lasting = self._parts[facts.provider_id].model(facts, snapshot.providers[facts.provider_id])
            message, checked = ends.of(facts)
            digest.update(lasting)
            digest.update(message)
            models.append(lasting + message + checked)
        metadata, providers = _metadata(overlay), {id_: _provider(s) for id_, s in snapshot.providers.items()}
        digest.update(_json([metadata, providers]))
        dated = {
            id_: said | {"lastChecked": snapshot.providers[id_].health.last_checked} for id_, said in providers.items()
        }
        written = _json(metadata | {"providers": dated})
        body = b'{"models":[' + b",".join(models) + b'],"metadata":' + written + b"}"
        return ModelsDocument(body, f'W/"{digest.hexdigest()}"')

    def _part(self, state: ProviderState) -> _Part:
        known = self._parts.get(state.id)
        return known if known is not None and known.of is state.lasting else _Part(state.lasting)


class _Ends:
    """How the objects of one document end: a reason that may change while a status stays, and the time of the check."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._known: dict[tuple[str, Rule], tuple[bytes, bytes]] = {}

    def of(self, facts: ModelFacts) -> tuple[bytes, bytes]:
        rule = self._snapshot.providers[facts.provider_id].statuses.of(facts.id)
        key = facts.provider_id, rule
        if key not in self._known:
            view = self._snapshot.view(facts)
            moves = view.error_message is not None and rule.cause not in _LASTING
            message = b',"errorMessage":' + _json(view.error_message) if moves else b""
            self._known[key] = message, b',"lastChecked":' + _json(view.last_checked) + b"}"
        return self._known[key]


def _metadata(overlay: Overlay) -> dict[str, Any]:
    revision = overlay.snapshot.revision
    return _known(
        {"lastUpdated": revision.updated_at, "totalModels": revision.total_models, "cacheHit": not overlay.waited},
        userProvidedKeys=list(overlay.own) or None,
    )


def _json(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)


def _known(required: dict[str, Any], **optional: object) -> dict[str, Any]:
    """An object without the optional properties that are not known."""
    return required | {name: value for name, value in optional.items() if value is not None}


def _model(facts: ModelFacts, state: ProviderState) -> dict[str, Any]:
    """What the document says of a model until its provider's revision changes."""
    rule, health = state.statuses.of(facts.id), state.lasting.health
    return _known(
        {
            "id": facts.id,
            "provider": state.profile.name,
            "name": facts.name,
            "capabilities": [c.value for c in Capability if c in facts.capabilities],
            "premium": facts.premium,
            "vision": facts.vision,
            "status": rule.status.value,
        },
        description=facts.description,
        contextMax=facts.context_max,
        apiVersion=facts.api_version,
        errorMessage=state.reason(facts, rule) if rule.cause in _LASTING else None,
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
    return _known({}, requestsPerMinute=limit.requests_per_minute, tokensPerMinute=limit.tokens_per_minute)


def _provider(state: ProviderState) -> dict[str, Any]:
    """What the document says of a provider, apart from the time of its last check."""
    return _known(
        {"status": _STATUS_WORDS[state.health.status], "modelCount": state.model_count},
        error=state.health.error.message if state.health.error else None,
    )

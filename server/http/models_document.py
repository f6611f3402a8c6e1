"""The JSON document of models, for clients that do not use GraphQL."""

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from catalogue.facts import ModelFacts, Price
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
    """A weak validator, shared by documents that differ only in the times of checks."""


class ModelsDocuments:
    """Writes documents. Models are written once for each revision of their provider, times of checks each time."""

    def __init__(self) -> None:
        self._written: dict[str, tuple[ProviderRevision, dict[str, bytes]]] = {}
        """By provider: the models of a revision, by id, each an object without its end."""

    def present(self, overlay: Overlay, criteria: Criteria) -> ModelsDocument:
        """Write the document of the models that meet the criteria. Raises UnknownProvider."""
        snapshot = overlay.snapshot
        self._written = {id_: self._written_of(state) for id_, state in snapshot.providers.items()}
        ends, digest, models = _Ends(snapshot), hashlib.blake2b(digest_size=16), []
        for facts in select(snapshot, criteria):
            _, written = self._written[facts.provider_id]
            if facts.id not in written:
                written[facts.id] = _json(_model(facts, snapshot.providers[facts.provider_id]))[:-1]
            message, checked = ends.of(facts)
            digest.update(written[facts.id] + message)
            models.append(written[facts.id] + message + checked)
        revision = snapshot.revision
        metadata = _known(
            {"lastUpdated": revision.updated_at, "totalModels": revision.total_models, "cacheHit": not overlay.waited},
            userProvidedKeys=list(overlay.own) or None,
        )
        providers = {id_: _provider(state) for id_, state in snapshot.providers.items()}
        digest.update(_json([metadata, providers]))
        for id_, state in snapshot.providers.items():
            providers[id_]["lastChecked"] = state.health.last_checked
        end = b'],"metadata":' + _json(metadata | {"providers": providers}) + b"}"
        body = b'{"models":[' + b",".join(models) + end
        return ModelsDocument(body, f'W/"{digest.hexdigest()}"')

    def _written_of(self, state: ProviderState) -> tuple[ProviderRevision, dict[str, bytes]]:
        known = self._written.get(state.id)
        return known if known is not None and known[0] is state.lasting else (state.lasting, {})


@dataclass(frozen=True, slots=True)
class _Ends:
    """The ends of one document's objects: reasons that may change while the status stays, and times of checks."""

    snapshot: Snapshot
    known: dict[tuple[str, Rule], tuple[bytes, bytes]] = field(default_factory=dict)

    def of(self, facts: ModelFacts) -> tuple[bytes, bytes]:
        rule = self.snapshot.providers[facts.provider_id].statuses.of(facts.id)
        key = facts.provider_id, rule
        if key not in self.known:
            view = self.snapshot.view(facts)
            moves = view.error_message is not None and rule.cause not in _LASTING
            message = b',"errorMessage":' + _json(view.error_message) if moves else b""
            self.known[key] = message, b',"lastChecked":' + _json(view.last_checked) + b"}"
        return self.known[key]


def _json(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)


def _known(required: dict[str, Any], **optional: object) -> dict[str, Any]:
    """An object without the optional properties that are not known."""
    return required | {name: value for name, value in optional.items() if value is not None}


def _model(facts: ModelFacts, state: ProviderState) -> dict[str, Any]:
    """The properties of a model that last as long as its provider's revision."""
    rule, health, limits = state.statuses.of(facts.id), state.lasting.health, facts.limits
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
        rateLimit=limits
        and _known({}, requestsPerMinute=limits.requests_per_minute, tokensPerMinute=limits.tokens_per_minute),
    )


def _pricing(price: Price | None) -> dict[str, Any] | None:
    if price is None:
        return None
    amounts = {name: float(said) for name in ("input", "output") if (said := getattr(price, name)) is not None}
    return amounts | {"currency": price.currency}


def _provider(state: ProviderState) -> dict[str, Any]:
    """The properties of a provider, without the time of its last check."""
    return _known(
        {"status": _STATUS_WORDS[state.health.status], "modelCount": state.model_count},
        error=state.health.error.message if state.health.error else None,
    )

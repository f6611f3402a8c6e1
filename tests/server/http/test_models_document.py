"""What of the JSON document is written again when something happened."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from catalogue.facts import ModelFacts
from catalogue.health import Problem
from catalogue.observation import Answered, CallFailed, Observation
from catalogue.ports.on_demand import Overlay
from catalogue.provider import ProviderState
from catalogue.reducer import after
from catalogue.selection import Criteria
from catalogue.snapshot import Snapshot
from catalogue.vocabulary import ProviderErrorCode
from server.http import models_document
from server.http.models_document import ModelsDocument, ModelsDocuments
from tests.resolvers.world import ALPHA, BETA, NOW, WORLD

LATER = NOW + timedelta(minutes=1)
PROBLEM = Problem(code=ProviderErrorCode.TIMEOUT, message="No answer.", retryable=True, at=LATER)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the models that are written, in order."""
    ids: list[str] = []
    write = models_document._model

    def counted(facts: ModelFacts, state: ProviderState) -> dict[str, Any]:
        ids.append(facts.id)
        return write(facts, state)

    monkeypatch.setattr(models_document, "_model", counted)
    return ids


def present(documents: ModelsDocuments, snapshot: Snapshot) -> tuple[ModelsDocument, Any]:
    made = documents.present(Overlay(snapshot=snapshot), Criteria())
    return made, orjson.loads(made.body)


def observed(provider: ProviderState, seen: Observation) -> Snapshot:
    return WORLD.with_provider(after(provider, seen, at=LATER))


def test_a_probe_that_is_answered_writes_no_model_again_and_shows_its_time(written: list[str]) -> None:
    documents = ModelsDocuments()
    before, _ = present(documents, WORLD)
    assert sorted(written) == sorted(facts.id for facts in WORLD.revision.index.rows)
    written.clear()
    again, document = present(documents, observed(ALPHA, Answered(latency_ms=5.0)))
    assert written == []
    assert again.tag == before.tag
    later, earlier = "2026-05-01T12:01:00Z", "2026-05-01T12:00:00Z"
    checked = {model["id"]: model["lastChecked"] for model in document["models"]}
    assert checked == {
        facts.id: later if facts.provider_id == "alpha" else earlier for facts in WORLD.revision.index.rows
    }
    providers = document["metadata"]["providers"]
    assert {id_: providers[id_]["lastChecked"] for id_ in providers} == {"alpha": later, "beta": earlier}


def test_an_edge_of_one_provider_writes_only_its_models_again(written: list[str]) -> None:
    documents = ModelsDocuments()
    before, _ = present(documents, WORLD)
    written.clear()
    edge, document = present(documents, observed(BETA, CallFailed(problem=PROBLEM)))
    assert written == list(BETA.listing.models)
    assert edge.tag != before.tag
    assert {m["providerHealth"] for m in document["models"] if m["id"] in BETA.listing.models} == {"degraded"}


def test_the_document_of_kept_parts_is_the_one_that_is_written_afresh() -> None:
    documents = ModelsDocuments()
    present(documents, WORLD)
    for seen in (Answered(latency_ms=5.0), CallFailed(problem=PROBLEM)):
        world = observed(ALPHA, seen)
        assert present(documents, world) == present(ModelsDocuments(), world)

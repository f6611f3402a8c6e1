"""A model as a reader sees it: the provider's facts, and the catalogue's conclusions at one moment."""

from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from catalogue.facts import ModelFacts
from catalogue.vocabulary import DataSource, HealthStatus, ModelStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelView:
    """Facts and conclusions; facts that readers see unchanged are attributes of the view too."""

    facts: ModelFacts
    status: ModelStatus
    error_message: str | None
    """Why the status is not AVAILABLE, in words for a person."""
    last_checked: datetime
    """When the provider was last asked, successfully or not. Before the first time, when the data is from."""
    provider_health: HealthStatus
    first_seen_at: datetime | None
    """When the catalogue first saw it listed; null for the models of the provider's first list."""
    source: DataSource
    source_as_of: datetime

    id = property(attrgetter("facts.id"))
    name = property(attrgetter("facts.name"))
    description = property(attrgetter("facts.description"))
    input_modalities = property(attrgetter("facts.input_modalities"))
    output_modalities = property(attrgetter("facts.output_modalities"))
    premium = property(attrgetter("facts.premium"))
    context_max = property(attrgetter("facts.context_max"))
    output_max = property(attrgetter("facts.output_max"))
    api_version = property(attrgetter("facts.api_version"))
    lab = property(attrgetter("facts.lab"))
    knowledge_cutoff = property(attrgetter("facts.knowledge_cutoff"))
    open_weights = property(attrgetter("facts.open_weights"))
    released_at = property(attrgetter("facts.released_at"))
    expires_at = property(attrgetter("facts.expires_at"))
    vision = property(attrgetter("facts.vision"))

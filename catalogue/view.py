"""A model as a reader sees it: what the provider said, and what the catalogue concludes from it at one moment."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalogue.facts import ModelFacts
from catalogue.vocabulary import DataSource, HealthStatus, ModelStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelView:
    """Facts and conclusions side by side; every fact can be read off the view itself."""

    facts: ModelFacts
    status: ModelStatus
    error_message: str | None
    """Why the status is not AVAILABLE, in words for a person."""
    last_checked: datetime
    """When the provider was last asked, successfully or not; before the first time, when the data is from."""
    provider_health: HealthStatus
    first_seen_at: datetime
    source: DataSource
    source_as_of: datetime

    def __getattr__(self, name: str) -> Any:
        """Read a fact."""
        if name in ModelFacts.__annotations__ or name in {"vision", "unknown_capabilities"}:
            return getattr(self.facts, name)
        raise AttributeError(name)

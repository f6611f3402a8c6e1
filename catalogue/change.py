"""Changes, as the log stores them and subscribers receive them, and which of them a subscriber wants."""

import dataclasses
from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from catalogue.facts import Price
from catalogue.health import Health
from catalogue.position import Position
from catalogue.view import ModelView
from catalogue.vocabulary import HealthStatus, ModelStatus, StatusCause

_STRICT = ConfigDict(extra="forbid")


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class ChangeRecord:
    """One change."""

    position: Position = Field(default_factory=Position)
    """Right after this change, in the log."""
    at: datetime
    """When the catalogue noticed it."""
    provider_id: str | None
    """The provider concerned; null only on a Resync."""


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class ModelChange(ChangeRecord):
    """A change of one model; the model is as of that change."""

    model: ModelView


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class ModelAdded(ModelChange):
    """A model that its provider newly lists."""

    kind: Literal["MODEL_ADDED"] = "MODEL_ADDED"


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class ModelRemoved(ModelChange):
    """A model gone from two good lists in a row, as last known."""

    kind: Literal["MODEL_REMOVED"] = "MODEL_REMOVED"


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class StatusChanged(ModelChange):
    """A model whose availability changed."""

    kind: Literal["STATUS_CHANGED"] = "STATUS_CHANGED"
    before: ModelStatus
    after: ModelStatus
    cause: StatusCause


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class PriceChanged(ModelChange):
    """A model whose price changed, appeared or vanished."""

    kind: Literal["PRICE_CHANGED"] = "PRICE_CHANGED"
    fields: ClassVar[tuple[str, ...]] = ("price", "premium")
    before: Price | None
    after: Price | None


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class DetailsChanged(ModelChange):
    """A model whose other tracked facts changed."""

    kind: Literal["DETAILS_CHANGED"] = "DETAILS_CHANGED"
    fields: tuple[str, ...]
    """The names of the changed facts."""


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class ExpiryAnnounced(ModelChange):
    """An end that was announced, or moved."""

    kind: Literal["EXPIRY_ANNOUNCED"] = "EXPIRY_ANNOUNCED"
    expires_at: datetime


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class ExpiryWithdrawn(ModelChange):
    """An announced end that was withdrawn."""

    kind: Literal["EXPIRY_WITHDRAWN"] = "EXPIRY_WITHDRAWN"


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class ProviderHealthChanged(ChangeRecord):
    """A provider whose health status changed."""

    kind: Literal["PROVIDER_HEALTH_CHANGED"] = "PROVIDER_HEALTH_CHANGED"
    health: Health
    model_count: int
    before: HealthStatus
    after: HealthStatus


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class Resync(ChangeRecord):
    """The log has a gap: read the catalogue again, then continue from this position."""

    kind: Literal["RESYNC"] = "RESYNC"
    provider_id: None = None
    reason: str


Change = Annotated[
    ModelAdded
    | ModelRemoved
    | StatusChanged
    | PriceChanged
    | DetailsChanged
    | ExpiryAnnounced
    | ExpiryWithdrawn
    | ProviderHealthChanged
    | Resync,
    Field(discriminator="kind"),
]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFilter:
    """Conditions on changes, all of which hold; an empty set is no condition. A Resync always passes."""

    kinds: frozenset[str] = frozenset()
    """Any of these kinds."""
    providers: frozenset[str] = frozenset()
    """Of any of these providers."""
    models: frozenset[str] = frozenset()
    """Of any of these models."""

    def passes(self, change: Change) -> bool:
        """Whether a change meets all conditions."""
        if isinstance(change, Resync):
            return True
        return (
            (not self.kinds or change.kind in self.kinds)
            and (not self.providers or change.provider_id in self.providers)
            and (not self.models or (isinstance(change, ModelChange) and change.model.facts.id in self.models))
        )


EVERYTHING = ChangeFilter()

"""How values are written into columns and read back, exactly."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import orjson
from pydantic import TypeAdapter

from backends._rows import require
from catalogue.facts import ModelFacts
from catalogue.health import Health, Quarantine
from catalogue.listing import Listing

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _Listing:
    models: list[ModelFacts]
    gone: list[str]
    first_seen: dict[str, int]


_LISTING: TypeAdapter[_Listing] = TypeAdapter(_Listing)
QUARANTINE: TypeAdapter[Quarantine] = TypeAdapter(Quarantine)
"""Reads and writes the description of a held-back list."""
HEALTH: TypeAdapter[Health] = TypeAdapter(Health)
"""Reads and writes a provider's health."""


def micros(at: datetime) -> int:
    """A moment as whole microseconds since 1970, so that moments compare as numbers."""
    return (at - _EPOCH) // MICROSECOND


def moment(micros_: int) -> datetime:
    """The moment that a number of microseconds stands for, in UTC. Raises ValueError for what is not a number."""
    require(isinstance(micros_, int))
    return _EPOCH + micros_ * MICROSECOND


def maybe_micros(at: datetime | None) -> int | None:
    """The same for a moment that may be absent."""
    return None if at is None else micros(at)


def maybe_moment(micros_: int | None) -> datetime | None:
    """The same for a number that may be absent."""
    return None if micros_ is None else moment(micros_)


def write_facts(facts: ModelFacts) -> str:
    """One model's facts as JSON, prices as strings, null and empty values left out. Equal facts give equal text."""
    stated = facts.model_dump(mode="json", exclude_defaults=True)
    for name in stated.keys() & {"capabilities", "lacking"}:
        stated[name].sort()
    return orjson.dumps(stated).decode()


def read_facts(text: str, model_id: str) -> ModelFacts:
    """The facts that `write_facts` wrote of a model; ValueError where the text is none or of another model."""
    facts = ModelFacts.model_validate_json(text)
    require(facts.id == model_id)
    return facts


def read_health(text: str, provider_id: str) -> Health:
    """A provider's health. Raises ValueError for text that is not the health of this provider."""
    health = HEALTH.validate_json(text)
    require(health.provider_id == provider_id)
    return health


def write_listing(listing: Listing) -> str:
    """A whole listing as JSON."""
    models = [orjson.Fragment(write_facts(facts)) for facts in listing.models.values()]
    seen = {id_: micros(at) for id_, at in listing.first_seen.items()}
    return orjson.dumps({"models": models, "gone": sorted(listing.gone), "first_seen": seen}).decode()


def read_listing(text: str, provider_id: str) -> Listing:
    """The listing that `write_listing` wrote. Raises ValueError for text that is not a listing of this provider."""
    read = _LISTING.validate_json(text)
    return listing_of(provider_id, read.models, read.gone, read.first_seen)


def listing_of(
    provider_id: str, models: Iterable[ModelFacts], gone: Iterable[str], first_seen: Mapping[str, int]
) -> Listing:
    """A provider's own list. Raises ValueError for facts of another provider."""
    by_id = {facts.id: facts for facts in models}
    require(all(facts.provider_id == provider_id for facts in by_id.values()))
    return Listing(
        provider_id=provider_id,
        models=MappingProxyType(by_id),
        gone=frozenset(gone),
        first_seen=MappingProxyType({id_: moment(at) for id_, at in first_seen.items()}),
        is_reference=True,
    )

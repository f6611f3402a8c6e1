"""How values are written into columns and read back, exactly."""

from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter

from catalogue.facts import ModelFacts
from catalogue.health import Quarantine, Standing

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

QUARANTINE: TypeAdapter[Quarantine] = TypeAdapter(Quarantine)
"""Reads and writes the description of a held-back list."""
STANDING: TypeAdapter[Standing] = TypeAdapter(Standing)
"""Reads and writes how a provider stands."""


def micros(at: datetime) -> int:
    """A moment as whole microseconds since 1970, so that moments compare as numbers."""
    return (at - _EPOCH) // MICROSECOND


def moment(micros_: int) -> datetime:
    """The moment that a number of microseconds stands for, in UTC."""
    return _EPOCH + micros_ * MICROSECOND


def maybe_micros(at: datetime | None) -> int | None:
    """The same for a moment that may be absent."""
    return None if at is None else micros(at)


def maybe_moment(micros_: int | None) -> datetime | None:
    """The same for a number that may be absent."""
    return None if micros_ is None else moment(micros_)


def write_facts(facts: ModelFacts) -> str:
    """One model's facts as JSON, prices as strings, what is not said left out."""
    return facts.model_dump_json(exclude_defaults=True)


def read_facts(text: str, model_id: str) -> ModelFacts:
    """The facts that `write_facts` wrote of a model; ValueError where the text is none or of another model."""
    facts = ModelFacts.model_validate_json(text)
    if facts.id != model_id:
        raise ValueError(model_id)
    return facts


def read_standing(text: str, provider_id: str) -> Standing:
    """How a provider stands; ValueError where the text does not say so."""
    standing = STANDING.validate_json(text)
    if standing.provider_id != provider_id:
        raise ValueError(provider_id)
    return standing

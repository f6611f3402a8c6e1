"""The order of models: what they are sorted by, and how well they match a search."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from catalogue.facts import ModelFacts
from catalogue.price_unit import PricingUnit, in_unit
from catalogue.snapshot import ProviderState

Key = str | float | None
"""What a model is sorted by; null sorts last in both directions."""


class OrderField(Enum):
    """What models are sorted by; RELEVANCE puts the best match of the search first."""

    NAME = "name"
    INPUT_PRICE = "input_price"
    OUTPUT_PRICE = "output_price"
    CONTEXT = "context"
    RELEASED = "released"
    FIRST_SEEN = "first_seen"
    PROVIDER = "provider"
    RELEVANCE = "relevance"


class Direction(Enum):
    """Whether a sort goes from small to large or from large to small."""

    ASC = "asc"
    DESC = "desc"


class Row(NamedTuple):
    """A model's facts beside the provider that lists it."""

    state: ProviderState
    facts: ModelFacts


@dataclass(frozen=True, slots=True)
class Ranking:
    """An order of models in which no two share a place: by a key, then by id."""

    field: OrderField = OrderField.NAME
    direction: Direction = Direction.ASC
    needle: str = ""

    @property
    def textual(self) -> bool:
        """Whether its keys are texts; else they are numbers."""
        return self.field in {OrderField.NAME, OrderField.PROVIDER}

    def key(self, row: Row) -> Key:
        """What this row is sorted by."""
        return relevance(row.facts, self.needle) if self.field is OrderField.RELEVANCE else _KEYS[self.field](row)

    def place(self, row: Row) -> tuple[object, ...]:
        """Where this row stands; smaller comes first."""
        return self.place_of(self.key(row), row.facts.id)

    def place_of(self, key: Key, id_: str) -> tuple[object, ...]:
        """Where a row with this key and id stands, or would stand."""
        if key is None:
            return (1, 0, id_)
        return (0, key if self.direction is Direction.ASC else _descending(key), id_)


def relevance(facts: ModelFacts, needle: str) -> int:
    """How well a model matches a folded search, best first: exact, prefix, start of a word, inside, scattered."""
    names = (facts.name.casefold(), facts.id.casefold(), *_tails(facts.id.casefold()))
    if needle in names:
        return 0
    if any(name.startswith(needle) for name in names):
        return 1
    at = [(name, name.find(needle)) for name in names if needle in name]
    if any(not name[start - 1].isalnum() for name, start in at):
        return 2
    return 3 if at else 4


def _tails(id_: str) -> Iterator[str]:
    while "/" in id_:
        id_ = id_.partition("/")[2]
        yield id_


def _seen(row: Row) -> Key:
    return _moment(row.state.listing.first_seen.get(row.facts.id, row.state.listing.as_of))


def _moment(at: datetime | None) -> float | None:
    return at.timestamp() if at else None


def _price(row: Row, part: str) -> Key:
    return in_unit(getattr(row.facts.price, part, None), PricingUnit.TOKEN)


_KEYS: Mapping[OrderField, Callable[[Row], Key]] = {
    OrderField.NAME: lambda row: row.facts.name.casefold(),
    OrderField.INPUT_PRICE: lambda row: _price(row, "input"),
    OrderField.OUTPUT_PRICE: lambda row: _price(row, "output"),
    OrderField.CONTEXT: lambda row: row.facts.context_max,
    OrderField.RELEASED: lambda row: _moment(row.facts.released_at),
    OrderField.FIRST_SEEN: _seen,
    OrderField.PROVIDER: lambda row: row.state.profile.name.casefold(),
}


def _descending(key: str | float) -> object:
    """A key that sorts the other way round; of two texts that begin alike, the longer one comes first."""
    return (*(-ord(c) for c in key), 1) if isinstance(key, str) else -key

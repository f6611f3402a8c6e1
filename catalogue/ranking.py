"""The order of models: by a field, or by how well they match a search."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from catalogue.facts import ModelFacts, PricingUnit, in_unit
from catalogue.snapshot import Revision
from catalogue.vocabulary import Described

Key = str | float | None
"""The value that a model is sorted by; null sorts last in both directions."""

Place = tuple[object, ...]


class OrderField(Described):
    """A value to sort models by."""

    NAME = "name", "The display name, ignoring case."
    INPUT_PRICE = "input_price", "The price of prompt tokens."
    OUTPUT_PRICE = "output_price", "The price of completion tokens."
    CONTEXT = "context", "The maximum number of tokens, `contextMax`."
    RELEASED = "released", "The time of the release."
    FIRST_SEEN = "first_seen", "The time at which the catalogue first saw the model."
    PROVIDER = "provider", "The provider's display name, ignoring case."
    RELEVANCE = "relevance", "The relevance to `search`. Without `search`, the name."


class Direction(Described):
    """A sort direction."""

    ASC = "asc", "Smallest first."
    DESC = "desc", "Largest first."


@dataclass(frozen=True, slots=True)
class Ranking:
    """An order of models in which no two share a place: by a key, then by id."""

    field: OrderField = OrderField.NAME
    direction: Direction = Direction.ASC
    needle: str = ""

    @property
    def textual(self) -> bool:
        """Whether its keys are texts; otherwise they are numbers."""
        return self.field in {OrderField.NAME, OrderField.PROVIDER}

    def key(self, facts: ModelFacts, revision: Revision) -> Key:
        """The key by which a row of a revision is sorted."""
        if self.field is OrderField.RELEVANCE:
            return relevance(facts, self.needle)
        return _KEYS[self.field](facts, revision)

    def placing(self, revision: Revision) -> Callable[[ModelFacts], Place]:
        """A function from a revision's row to its place; smaller places come first."""
        return lambda facts: self.place_of(self.key(facts, revision), facts.id)

    def place_of(self, key: Key, id_: str) -> Place:
        """The place of a row with this key and id."""
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


def _moment(at: datetime | None) -> float | None:
    return at.timestamp() if at else None


def _price(facts: ModelFacts, part: str) -> Key:
    return in_unit(getattr(facts.price, part, None), PricingUnit.TOKEN)


_KEYS: Mapping[OrderField, Callable[[ModelFacts, Revision], Key]] = {
    OrderField.NAME: lambda facts, _: facts.name.casefold(),
    OrderField.INPUT_PRICE: lambda facts, _: _price(facts, "input"),
    OrderField.OUTPUT_PRICE: lambda facts, _: _price(facts, "output"),
    OrderField.CONTEXT: lambda facts, _: facts.context_max,
    OrderField.RELEASED: lambda facts, _: _moment(facts.released_at),
    OrderField.FIRST_SEEN: lambda facts, revision: _moment(
        revision.providers[facts.provider_id].listing.first_seen.get(facts.id)
    ),
    OrderField.PROVIDER: lambda facts, revision: revision.providers[facts.provider_id].profile.name.casefold(),
}


def _descending(key: str | float) -> object:
    """A key that sorts the other way round; of two texts that begin alike, the longer one comes first."""
    return (*(-ord(c) for c in key), 1) if isinstance(key, str) else -key

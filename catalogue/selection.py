"""Choosing models from a snapshot: filters, search and order, all before a single view is made."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import NamedTuple, Self
from weakref import ReferenceType, ref

from pydantic import field_validator

from catalogue.errors import BadUserInput, UnknownProvider
from catalogue.facts import ModelFacts, Record
from catalogue.snapshot import ProviderState, Snapshot
from catalogue.vocabulary import Capability, DataSource, Modality, ModelStatus

LONGEST_SEARCH = 200

Key = str | float | None
"""What a model is sorted by; null sorts last in both directions."""


class PricingUnit(Enum):
    """How many tokens a price is for."""

    TOKEN = 1
    THOUSAND = 1_000
    MILLION = 1_000_000


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


class Filter(Record):
    """Conditions on a model's facts, all of which hold; what a model does not say fulfils no condition."""

    premium: bool | None = None
    """Only models that cost money, or only those that do not."""
    free: bool | None = None
    """Only models that are free of charge, or only those that are not; an unknown price is neither."""
    vision: bool | None = None
    """Only models that take images, or only those known not to."""
    min_context: int | None = None
    """Only models whose context window has at least this many tokens."""
    min_output: int | None = None
    """Only models that can answer with at least this many tokens."""
    max_input_price: float | None = None
    """Only models whose prompt tokens cost at most this many USD per `pricePer`."""
    max_output_price: float | None = None
    """Only models whose completion tokens cost at most this many USD per `pricePer`."""
    price_per: PricingUnit = PricingUnit.MILLION
    """How many tokens the price bounds are for."""
    input_modality: tuple[Modality, ...] | None = None
    """Only models that take all of these forms of data."""
    output_modality: tuple[Modality, ...] | None = None
    """Only models that give all of these forms of data."""
    released_after: datetime | None = None
    """Only models released after this moment."""
    expires_before: datetime | None = None
    """Only models whose announced end is before this moment."""
    source: tuple[DataSource, ...] | None = None
    """Only models whose data comes from one of these sources."""

    @field_validator("max_input_price", "max_output_price")
    @classmethod
    def _finite(cls, value: float | None) -> float | None:
        if value is not None and not math.isfinite(value):
            raise BadUserInput("A price bound must be a finite number.")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What a caller asks for; an empty set is no condition."""

    providers: frozenset[str] = frozenset()
    """Any of these."""
    statuses: frozenset[ModelStatus] = frozenset()
    """Any of these."""
    capabilities: frozenset[Capability] = frozenset()
    """All of these."""
    search: str = ""
    """Words that all occur in a model's name, id or lab, whatever their case."""
    filter: Filter = field(default_factory=Filter)

    @property
    def needle(self) -> str:
        """The search with case and spacing folded; BadUserInput when it is too long."""
        if len(self.search) > LONGEST_SEARCH:
            raise BadUserInput(f"Argument 'search' is longer than {LONGEST_SEARCH} characters. Use fewer words.")
        return " ".join(self.search.casefold().split())


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


class Index:
    """The rows of one snapshot in their default order, by provider and by family."""

    def __init__(self, snapshot: Snapshot) -> None:
        ranking = Ranking()
        self.rows = sorted((Row(*pair) for pair in snapshot.facts()), key=ranking.place)
        self.by_provider: dict[str, list[Row]] = {}
        self.by_family: dict[str, list[Row]] = {}
        for row in self.rows:
            self.by_provider.setdefault(row.state.id, []).append(row)
            if row.facts.family is not None:
                self.by_family.setdefault(row.facts.family, []).append(row)

    @classmethod
    def of(cls, snapshot: Snapshot) -> Self:
        """The index of a snapshot, made once and forgotten together with it."""
        key = id(snapshot)
        if key not in _indexes:
            _indexes[key] = (ref(snapshot, lambda _: _indexes.pop(key, None)), cls(snapshot))
        index = _indexes[key][1]
        assert isinstance(index, cls)  # noqa: S101 - narrows the type: only this method writes the table
        return index


_indexes: dict[int, tuple[ReferenceType[Snapshot], Index]] = {}


def select(snapshot: Snapshot, criteria: Criteria, ranking: Ranking | None = None) -> list[Row]:
    """The rows that meet all criteria, in order; UnknownProvider for a provider that is none."""
    check_providers(snapshot, criteria.providers)
    tests = list(_tests(criteria, snapshot.judged_at))
    rows = [row for row in _candidates(snapshot, criteria.providers) if all(test(row) for test in tests)]
    return rows if ranking is None or ranking == Ranking() else sorted(rows, key=ranking.place)


def check_providers(snapshot: Snapshot, provider_ids: Iterable[str]) -> None:
    """Raise UnknownProvider for the first id that is none."""
    for id_ in sorted(provider_ids):
        if id_ not in snapshot.providers:
            raise UnknownProvider(id_, snapshot.providers)


def offers(snapshot: Snapshot, facts: ModelFacts) -> list[Row]:
    """The same underlying model elsewhere, this one left out."""
    family = Index.of(snapshot).by_family.get(facts.family, []) if facts.family else []
    return [row for row in family if row.facts.id != facts.id]


def bounded(name: str, value: int | None, most: int | None = None) -> int | None:
    """An argument that counts something; BadUserInput when it is negative or more than `most`."""
    if value is not None and value < 0:
        raise BadUserInput(f"Argument '{name}' must not be negative.")
    if value is not None and most is not None and value > most:
        raise BadUserInput(f"Argument '{name}' must be at most {most}.")
    return value


def in_unit(amount: Decimal | None, unit: PricingUnit) -> float | None:
    """A price per token in another unit, multiplied before it leaves decimal arithmetic."""
    return None if amount is None else float(amount * unit.value)


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


def _candidates(snapshot: Snapshot, providers: frozenset[str]) -> Iterable[Row]:
    index = Index.of(snapshot)
    if not providers:
        return index.rows
    if len(providers) == 1:
        return index.by_provider.get(next(iter(providers)), ())
    return (row for row in index.rows if row.state.id in providers)


Test = Callable[[Row], bool]


def _tests(criteria: Criteria, now: datetime) -> Iterator[Test]:
    """Only the tests that are asked for, cheap ones first."""
    statuses, capabilities, wanted = criteria.statuses, criteria.capabilities, criteria.filter
    if capabilities:
        yield lambda row: capabilities <= row.facts.capabilities
    if statuses:
        yield lambda row: row.state.verdict(row.facts.id).status in statuses
    yield from _kind_tests(wanted, now)
    yield from _bound_tests(wanted)
    if words := criteria.needle.split():
        yield lambda row: _mentions(row.facts, words)


def _kind_tests(wanted: Filter, now: datetime) -> Iterator[Test]:
    if wanted.premium is not None:
        yield lambda row: row.facts.premium is wanted.premium
    if wanted.free is not None:
        yield lambda row: row.facts.premium is (not wanted.free)
    if wanted.vision is not None:
        yield lambda row: row.facts.vision is wanted.vision
    if takes := set(wanted.input_modality or ()):
        yield lambda row: takes.issubset(row.facts.input_modalities)
    if gives := set(wanted.output_modality or ()):
        yield lambda row: gives.issubset(row.facts.output_modalities)
    if sources := wanted.source:
        yield lambda row: row.state.source(now) in sources


def _bound_tests(wanted: Filter) -> Iterator[Test]:
    if (context := wanted.min_context) is not None:
        yield lambda row: row.facts.context_max is not None and row.facts.context_max >= context
    if (output := wanted.min_output) is not None:
        yield lambda row: row.facts.output_max is not None and row.facts.output_max >= output
    if wanted.max_input_price is not None:
        yield _cheaper("input", wanted.max_input_price, wanted.price_per)
    if wanted.max_output_price is not None:
        yield _cheaper("output", wanted.max_output_price, wanted.price_per)
    if (after := wanted.released_after) is not None:
        yield lambda row: row.facts.released_at is not None and row.facts.released_at > after
    if (before := wanted.expires_before) is not None:
        yield lambda row: row.facts.expires_at is not None and row.facts.expires_at < before


def _cheaper(part: str, most: float, unit: PricingUnit) -> Test:
    bound = Decimal(repr(most))

    def test(row: Row) -> bool:
        amount: Decimal | None = getattr(row.facts.price, part, None)
        return amount is not None and amount * unit.value <= bound

    return test


def _mentions(facts: ModelFacts, words: list[str]) -> bool:
    text = f"{facts.name}\n{facts.id}\n{facts.lab or ''}".casefold()
    return all(word in text for word in words)


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

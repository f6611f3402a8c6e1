"""Choosing models from a snapshot by their facts, before a single view is made."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from pydantic import ValidationInfo, field_validator
from pydantic.alias_generators import to_camel

from catalogue.errors import BadUserInput, UnknownProvider
from catalogue.facts import ModelFacts, Record
from catalogue.index import index_of
from catalogue.price_unit import PricingUnit
from catalogue.ranking import Ranking, Row
from catalogue.snapshot import Snapshot
from catalogue.vocabulary import Capability, DataSource, Modality, ModelStatus

LONGEST_SEARCH = 200
MOST_WORDS = 10


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

    @field_validator("min_context", "min_output", "max_input_price", "max_output_price")
    @classmethod
    def _bound(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is not None and not (math.isfinite(value) and value >= 0):
            name = to_camel(info.field_name or "")
            raise BadUserInput(f"Argument '{name}' must be a finite number that is not negative.")
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
        """The search with case and spacing folded; BadUserInput when it is too long or has too many words."""
        if len(self.search) > LONGEST_SEARCH:
            raise BadUserInput(f"Argument 'search' is longer than {LONGEST_SEARCH} characters. Use fewer words.")
        words = self.search.casefold().split()
        if len(words) > MOST_WORDS:
            raise BadUserInput(f"Argument 'search' has more than {MOST_WORDS} words. Use fewer.")
        return " ".join(words)


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
    family = index_of(snapshot).by_family.get(facts.family, []) if facts.family else []
    return [row for row in family if row.facts.id != facts.id]


def _candidates(snapshot: Snapshot, providers: frozenset[str]) -> Iterable[Row]:
    index = index_of(snapshot)
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

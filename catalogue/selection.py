"""Choosing models from a snapshot by their facts, before a single view is made."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import islice

from pydantic import ValidationInfo, field_validator
from pydantic.alias_generators import to_camel

from catalogue.errors import BadUserInput, UnknownProvider
from catalogue.facts import ModelFacts, PricingUnit, Record
from catalogue.identity import family
from catalogue.ranking import Ranking
from catalogue.snapshot import Snapshot
from catalogue.vocabulary import Capability, DataSource, Modality, ModelStatus

LONGEST_SEARCH = 200
MOST_WORDS = 10


class Filter(Record):
    """Conditions, all of which a model must meet. A null condition is ignored. An unknown value meets no condition."""

    premium: bool | None = None
    """Whether using the model costs money."""
    free: bool | None = None
    """Whether using the model is free of charge."""
    vision: bool | None = None
    """Whether the model accepts images."""
    min_context: int | None = None
    """The minimum of `contextMax`, in tokens."""
    min_output: int | None = None
    """The minimum of `outputMax`, in tokens."""
    max_input_price: float | None = None
    """The maximum price of prompt tokens, in USD for `pricePer` tokens."""
    max_output_price: float | None = None
    """The maximum price of completion tokens, in USD for `pricePer` tokens."""
    price_per: PricingUnit = PricingUnit.MILLION
    """The number of tokens that the maximum prices are for."""
    input_modality: tuple[Modality, ...] | None = None
    """Forms of data, all of which the model must accept."""
    output_modality: tuple[Modality, ...] | None = None
    """Forms of data, all of which the model must generate."""
    released_after: datetime | None = None
    """The time after which the model was released."""
    expires_before: datetime | None = None
    """The time before which the model ends, as announced."""
    source: tuple[DataSource, ...] | None = None
    """The origins of the model's data, of which one must match."""

    @field_validator("min_context", "min_output", "max_input_price", "max_output_price")
    @classmethod
    def _bound(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is not None and not (math.isfinite(value) and value >= 0):
            name = to_camel(info.field_name or "")
            raise BadUserInput(f"Argument '{name}' must be a finite number that is not negative.")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """Conditions on models and providers. An empty set is no condition."""

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


def select(
    snapshot: Snapshot, criteria: Criteria, ranking: Ranking | None = None, *, most: int | None = None
) -> list[ModelFacts]:
    """The first rows that meet all criteria, in order; with `most`, no more are looked for than these.

    Raises UnknownProvider for a provider that is not known.
    """
    check_providers(snapshot, criteria.providers)
    rows = _candidates(snapshot, criteria.providers)
    if tests := list(_tests(criteria, snapshot)):
        rows = (row for row in rows if all(test(row) for test in tests))
    if ranking not in {None, Ranking()}:
        rows = sorted(rows, key=ranking.placing(snapshot.revision))
    return list(islice(rows, most))


def check_providers(snapshot: Snapshot, provider_ids: Iterable[str]) -> None:
    """Raise UnknownProvider for the first id that is none."""
    for id_ in sorted(provider_ids):
        if id_ not in snapshot.providers:
            raise UnknownProvider(id_, snapshot.providers)


def offers(snapshot: Snapshot, facts: ModelFacts) -> list[ModelFacts]:
    """The same underlying model elsewhere, this one left out."""
    key = family(facts)
    likes = snapshot.revision.index.families.get(key, ()) if key else ()
    return [row for row in likes if row.id != facts.id]


def _candidates(snapshot: Snapshot, providers: frozenset[str]) -> Iterable[ModelFacts]:
    if len(providers) == 1:
        return snapshot.providers[next(iter(providers))].listing.index.rows
    rows = snapshot.revision.index.rows
    return (row for row in rows if row.provider_id in providers) if providers else rows


Test = Callable[[ModelFacts], bool]


def _tests(criteria: Criteria, snapshot: Snapshot) -> Iterator[Test]:
    """Only the tests that are asked for, cheap ones first."""
    statuses, capabilities, wanted = criteria.statuses, criteria.capabilities, criteria.filter
    if capabilities:
        yield lambda row: capabilities <= row.capabilities
    if statuses:
        yield lambda row: snapshot.providers[row.provider_id].statuses.of(row.id).status in statuses
    yield from _kind_tests(wanted, snapshot)
    yield from _bound_tests(wanted)
    if words := criteria.needle.split():
        yield lambda row: _mentions(row, words)


def _kind_tests(wanted: Filter, snapshot: Snapshot) -> Iterator[Test]:
    if wanted.premium is not None:
        yield lambda row: row.premium is wanted.premium
    if wanted.free is not None:
        yield lambda row: row.premium is (not wanted.free)
    if wanted.vision is not None:
        yield lambda row: row.vision is wanted.vision
    if takes := set(wanted.input_modality or ()):
        yield lambda row: takes.issubset(row.input_modalities)
    if gives := set(wanted.output_modality or ()):
        yield lambda row: gives.issubset(row.output_modalities)
    if sources := wanted.source:
        yield lambda row: snapshot.providers[row.provider_id].source in sources


def _bound_tests(wanted: Filter) -> Iterator[Test]:
    if (context := wanted.min_context) is not None:
        yield lambda row: row.context_max is not None and row.context_max >= context
    if (output := wanted.min_output) is not None:
        yield lambda row: row.output_max is not None and row.output_max >= output
    if wanted.max_input_price is not None:
        yield _cheaper("input", wanted.max_input_price, wanted.price_per)
    if wanted.max_output_price is not None:
        yield _cheaper("output", wanted.max_output_price, wanted.price_per)
    if (after := wanted.released_after) is not None:
        yield lambda row: row.released_at is not None and row.released_at > after
    if (before := wanted.expires_before) is not None:
        yield lambda row: row.expires_at is not None and row.expires_at < before


def _cheaper(part: str, most: float, unit: PricingUnit) -> Test:
    bound = Decimal(repr(most))

    def test(row: ModelFacts) -> bool:
        amount: Decimal | None = getattr(row.price, part, None)
        return amount is not None and amount * unit.value <= bound

    return test


def _mentions(facts: ModelFacts, words: list[str]) -> bool:
    text = f"{facts.name}\n{facts.id}\n{facts.lab or ''}".casefold()
    return all(word in text for word in words)

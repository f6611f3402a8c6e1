"""The rows of a listing, sorted and grouped once, and the rows of several listings together."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property

from catalogue.facts import ModelFacts
from catalogue.identity import family

Place = tuple[str, str]


class ListingIndex:
    """One listing's rows by name and by family, and the few rows whose status is their own."""

    def __init__(self, models: Mapping[str, ModelFacts]) -> None:
        self.places: Sequence[tuple[Place, ModelFacts]] = sorted(
            ((facts.name.casefold(), facts.id), facts) for facts in models.values()
        )
        self.rows: Sequence[ModelFacts] = [facts for _, facts in self.places]
        self.families: dict[str, list[ModelFacts]] = {}
        for facts in self.rows:
            if (key := family(facts)) is not None:
                self.families.setdefault(key, []).append(facts)
        self.deprecated = frozenset(facts.id for facts in self.rows if facts.deprecated)
        self.ends: Sequence[tuple[datetime, str]] = sorted(
            (facts.expires_at, facts.id) for facts in self.rows if facts.expires_at is not None
        )
        """Announced ends, the earliest first."""


class MergedIndex:
    """The rows of several listings together, each view made when it is first asked for."""

    def __init__(self, indexes: Iterable[ListingIndex]) -> None:
        self._indexes = tuple(indexes)

    @cached_property
    def rows(self) -> Sequence[ModelFacts]:
        """All rows by name, then by id."""
        if len(self._indexes) == 1:
            return self._indexes[0].rows
        # The parts are sorted, which makes this a merge; a pair is decided before its facts are compared.
        return [facts for _, facts in sorted(pair for index in self._indexes for pair in index.places)]

    @cached_property
    def families(self) -> Mapping[str, Sequence[ModelFacts]]:
        """The rows of each family that has more than one."""
        found: dict[str, list[ModelFacts]] = {}
        for index in self._indexes:
            for key, rows in index.families.items():
                found.setdefault(key, []).extend(rows)
        # Most models have no like: thousands of lists of one would only cost the garbage collector time.
        return {key: sorted(rows, key=_place) for key, rows in found.items() if len(rows) > 1}


def _place(facts: ModelFacts) -> Place:
    return facts.name.casefold(), facts.id

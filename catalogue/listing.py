"""One provider's list as the catalogue holds it, and how the next good list is merged into it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from types import MappingProxyType

from catalogue.facts import ModelFacts
from catalogue.identity import family

_NO_MODELS: Mapping[str, ModelFacts] = MappingProxyType({})

Place = tuple[str, str]
"""A folded name and an id."""


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


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The models of one provider. It is replaced only by a list that differs; times of checks are elsewhere."""

    provider_id: str
    models: Mapping[str, ModelFacts] = field(default_factory=lambda: _NO_MODELS)
    """Facts by model id, including models that are gone until they are removed."""
    gone: frozenset[str] = frozenset()
    """Ids that the last good list no longer had. Ids missing from the next list too are removed."""
    first_seen: Mapping[str, datetime] = field(default_factory=lambda: MappingProxyType({}))
    """When each id was first listed; absent for the ids of the provider's first list, which may be older."""
    is_reference: bool = False
    """Whether the provider itself gave this list. Guard, diff and tombstones never compare with any other."""

    @cached_property
    def index(self) -> ListingIndex:
        """The rows in order, made once."""
        return ListingIndex(self.models)

    @property
    def model_count(self) -> int:
        """The number of models, those that are gone left out."""
        return len(self.models) - len(self.gone)


def merged(before: Listing, rows: Iterable[ModelFacts], *, at: datetime) -> Listing:
    """The listing after a good list: `before` itself where nothing differs.

    Equal rows keep their records. Ids that are missing once are gone; missing twice, they are removed.
    """
    old = before.models if before.is_reference else _NO_MODELS
    models: dict[str, ModelFacts] = {}
    for row in rows:
        known = old.get(row.id)
        models[row.id] = known if known is not None and (known is row or known == row) else row
    gone = frozenset(i for i in old if i not in models and i not in before.gone)
    is_same = not gone and not before.gone and len(models) == len(old) and all(models[i] is old[i] for i in old)
    if is_same and before.is_reference:
        return before
    models.update((i, old[i]) for i in gone)
    new = (id_ for id_ in models if before.is_reference and id_ not in before.models)
    first_seen = {id_: seen for id_, seen in before.first_seen.items() if id_ in models} | dict.fromkeys(new, at)
    listing = Listing(
        provider_id=before.provider_id,
        models=MappingProxyType(models),
        gone=gone,
        first_seen=MappingProxyType(first_seen),
        is_reference=True,
    )
    listing.index  # noqa: B018 - made here, off the event loop, rather than by the first reader
    return listing


def confirmed(before: Listing, *, at: datetime) -> Listing:
    """The listing after the provider gave the very same list again: models that were gone are removed."""
    if not before.gone:
        return before
    return merged(before, [facts for id_, facts in before.models.items() if id_ not in before.gone], at=at)

"""One provider's list as the catalogue holds it, and how the next good list is merged into it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from types import MappingProxyType

from catalogue.facts import ModelFacts
from catalogue.index import ListingIndex

_NO_MODELS: Mapping[str, ModelFacts] = MappingProxyType({})
_NO_TIMES: Mapping[str, datetime] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The models of one provider. It is replaced only by a list that differs; times of checks are elsewhere."""

    provider_id: str
    models: Mapping[str, ModelFacts] = field(default_factory=lambda: _NO_MODELS)
    """Facts by model id, including models that are gone until they are removed."""
    gone: frozenset[str] = frozenset()
    """Ids that the last good list no longer had. Ids missing from the next list too are removed."""
    first_seen: Mapping[str, datetime] = field(default_factory=lambda: _NO_TIMES)
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
    listing = Listing(
        provider_id=before.provider_id,
        models=MappingProxyType(models),
        gone=gone,
        first_seen=MappingProxyType(dict(_first_seen(before, models, at))),
        is_reference=True,
    )
    listing.index  # noqa: B018 - made here, off the event loop, rather than by the first reader
    return listing


def _first_seen(before: Listing, models: Iterable[str], at: datetime) -> Iterable[tuple[str, datetime]]:
    for id_ in models:
        if id_ in before.first_seen:
            yield id_, before.first_seen[id_]
        elif before.is_reference and id_ not in before.models:
            yield id_, at


def confirmed(before: Listing, *, at: datetime) -> Listing:
    """The listing after the provider gave the very same list again: models that were gone are removed."""
    if not before.gone:
        return before
    return merged(before, [facts for id_, facts in before.models.items() if id_ not in before.gone], at=at)

"""One provider's list as the catalogue holds it, and how the next good list is merged into it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from catalogue.facts import ModelFacts
from catalogue.vocabulary import DataSource

_NO_MODELS: Mapping[str, ModelFacts] = MappingProxyType({})
_NO_TIMES: Mapping[str, datetime] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The models of one provider, by model id, with where they come from and since when."""

    provider_id: str
    models: Mapping[str, ModelFacts] = field(default_factory=lambda: _NO_MODELS)
    """Facts by id, gone ones included until they are removed."""
    gone: frozenset[str] = frozenset()
    """Ids that the last good list no longer had; missing once more, they are removed."""
    first_seen: Mapping[str, datetime] = field(default_factory=lambda: _NO_TIMES)
    """When each id was first listed here; absent for baseline models."""
    source: DataSource = DataSource.BASELINE
    as_of: datetime | None = None
    """When the provider last said so; for the baseline, the date of the packaged data; null for an empty start."""

    @property
    def is_reference(self) -> bool:
        """Whether guard, diff and tombstones may compare with it: only what the provider itself once said."""
        return self.as_of is not None and self.source is not DataSource.BASELINE


def merged(before: Listing, rows: Iterable[ModelFacts], *, at: datetime) -> Listing:
    """The listing after a good list: equal rows keep records, ids missing once are gone, twice removed."""
    old = before.models if before.is_reference else _NO_MODELS
    models: dict[str, ModelFacts] = {}
    for row in rows:
        known = old.get(row.id)
        models[row.id] = known if known is not None and (known is row or known == row) else row
    gone = frozenset(i for i in old if i not in models and i not in before.gone)
    is_same = not gone and not before.gone and len(models) == len(old) and all(models[i] is old[i] for i in old)
    if is_same and before.is_reference:
        return replace(before, source=DataSource.LIVE, as_of=at)
    models.update((i, old[i]) for i in gone)
    return Listing(
        provider_id=before.provider_id,
        models=MappingProxyType(models),
        gone=gone,
        first_seen=MappingProxyType({i: before.first_seen.get(i, at) for i in models}),
        source=DataSource.LIVE,
        as_of=at,
    )


def confirmed(before: Listing, *, at: datetime) -> Listing:
    """The listing after the provider said the very same once more: what was gone from the last list is removed."""
    if not before.gone:
        return replace(before, source=DataSource.LIVE, as_of=at)
    return merged(before, [facts for id_, facts in before.models.items() if id_ not in before.gone], at=at)

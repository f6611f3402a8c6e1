"""One provider's list as the catalogue holds it, and how the next good list is merged into it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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
    models: Mapping[str, ModelFacts] = field(default=_NO_MODELS)
    """Facts by id, gone ones included until they are removed."""
    gone: frozenset[str] = frozenset()
    """Ids that the last good list no longer had; missing once more, they are removed."""
    first_seen: Mapping[str, datetime] = field(default=_NO_TIMES)
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
        models[row.id] = known if known == row else row
    gone = frozenset(i for i in old if i not in models and i not in before.gone)
    models.update((i, old[i]) for i in gone)
    first_seen = {i: before.first_seen.get(i, at) for i in models}
    return Listing(
        provider_id=before.provider_id,
        models=MappingProxyType(models),
        gone=gone,
        first_seen=MappingProxyType(first_seen),
        source=DataSource.LIVE,
        as_of=at,
    )

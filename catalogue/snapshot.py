"""The whole catalogue at one moment: a revision, which lasts until the next change, and what each call moves."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from types import MappingProxyType

from catalogue.facts import ModelFacts
from catalogue.listing import ListingIndex
from catalogue.position import Position
from catalogue.provider import ProviderRevision, ProviderState
from catalogue.view import ModelView

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
        # Most models have no match: thousands of lists of one would only cost the garbage collector time.
        return {
            key: sorted(rows, key=lambda facts: (facts.name.casefold(), facts.id))
            for key, rows in found.items()
            if len(rows) > 1
        }


@dataclass(frozen=True, kw_only=True)
class Revision:
    """All listings and statuses. Values derived from it are kept on it."""

    number: int = 0
    """Increases whenever a model's facts or status, or a provider's health, changes."""
    position: Position = field(default_factory=Position)
    """The last change that this state includes."""
    updated_at: datetime | None = None
    """When the revision was made; null before the first list."""
    providers: Mapping[str, ProviderRevision] = field(default_factory=lambda: MappingProxyType({}))
    """By provider id, in the order of the names."""

    @cached_property
    def index(self) -> MergedIndex:
        """The rows of all listings. It outlives a revision that changes no listing."""
        return MergedIndex(provider.listing.index for provider in self.providers.values())

    @cached_property
    def total_models(self) -> int:
        """The number of models that all providers list, those that are gone left out."""
        return sum(provider.listing.model_count for provider in self.providers.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Every provider and model at one moment. It never changes; the next moment has another one."""

    revision: Revision = field(default_factory=Revision)
    providers: Mapping[str, ProviderState] = field(default_factory=lambda: MappingProxyType({}))
    """By provider id, in the order of the names. What lasts of each is the revision's."""

    def model(self, model_id: str) -> ModelView | None:
        """The model with this id, if there is one."""
        owner = self.providers.get(model_id.partition("/")[0])
        facts = owner.listing.models.get(model_id) if owner else None
        return self.view(facts) if facts else None

    def view(self, facts: ModelFacts) -> ModelView:
        """A model as a reader sees it."""
        return self.providers[facts.provider_id].view(facts, fallback=_EPOCH)

    def views(self, rows: Iterable[ModelFacts]) -> list[ModelView]:
        """Several models as a reader sees them."""
        return [self.view(facts) for facts in rows]

    def with_provider(self, state: ProviderState, *, revision: Revision | None = None) -> "Snapshot":
        """The same with one provider's state replaced, and with the number, position and time of another revision.

        The revision stays the same object unless something lasting moved, or another one is given.
        """
        lasting, id_ = state.lasting, state.lasting.profile.id
        before = self.revision.providers.get(id_)
        if revision is not None or before is not lasting:
            providers = MappingProxyType({**self.revision.providers, id_: lasting})
            revision = replace(revision or self.revision, providers=providers)
            if before is not None and before.listing is lasting.listing and "index" in vars(self.revision):
                vars(revision)["index"] = self.revision.index
        states = MappingProxyType({**self.providers, id_: state})
        return Snapshot(revision=revision or self.revision, providers=states)


def snapshot_of(
    states: Iterable[ProviderState], *, number: int = 0, position: Position | None = None, updated_at: datetime | None
) -> Snapshot:
    """A snapshot of these states."""
    providers = {state.id: state for state in states}
    revision = Revision(
        number=number,
        position=position or Position(),
        updated_at=updated_at,
        providers=MappingProxyType({id_: state.lasting for id_, state in providers.items()}),
    )
    return Snapshot(revision=revision, providers=MappingProxyType(providers))

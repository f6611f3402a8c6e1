"""The whole catalogue at one moment: a revision, which lasts until something is told, and what each call moves."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from types import MappingProxyType

from catalogue.facts import ModelFacts
from catalogue.index import MergedIndex
from catalogue.position import Position
from catalogue.provider import ProviderRevision, ProviderState
from catalogue.view import ModelView

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Revision:
    """What every provider lists, and each model's status. What is derived from it is kept on it."""

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

    def following(self, provider: ProviderRevision) -> "Revision":
        """The same with one provider replaced. Number and position stay: only the ledger moves these."""
        before = self.providers.get(provider.id)
        relisted = before is None or before.listing is not provider.listing
        following = replace(self, providers=MappingProxyType({**self.providers, provider.id: provider}))
        return following if relisted else _keeping(following, self)

    def numbered(self, number: int, position: Position, *, updated_at: datetime | None) -> "Revision":
        """The same state as another revision."""
        return _keeping(replace(self, number=number, position=position, updated_at=updated_at), self)


def _keeping(after: Revision, before: Revision) -> Revision:
    """Hand on the index where no listing differs."""
    if (index := before.__dict__.get("index")) is not None:
        after.__dict__["index"] = index
    return after


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

    def rows(self) -> Iterator[ModelFacts]:
        """The facts of every model, in no particular order."""
        for state in self.providers.values():
            yield from state.listing.models.values()

    def with_provider(self, state: ProviderState) -> "Snapshot":
        """The same with one provider's state replaced; the revision is the same object where nothing lasting moved."""
        lasts = self.revision.providers.get(state.id) is state.lasting
        revision = self.revision if lasts else self.revision.following(state.lasting)
        return Snapshot(revision=revision, providers=MappingProxyType({**self.providers, state.id: state}))


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

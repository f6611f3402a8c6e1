"""What changed between two states of a provider, and the way back: `facts(apply(diff(a, b), a)) == facts(b)`."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import count
from typing import NamedTuple, TypedDict

from catalogue.change import (
    Change,
    DetailsChanged,
    ExpiryAnnounced,
    ExpiryWithdrawn,
    ModelAdded,
    ModelChange,
    ModelRemoved,
    PriceChanged,
    ProviderHealthChanged,
    Resync,
    StatusChanged,
)
from catalogue.facts import ModelFacts
from catalogue.position import Position
from catalogue.provider import ProviderState
from catalogue.status import cause as status_cause
from catalogue.view import ModelView
from catalogue.vocabulary import StatusCause

DETAILS: tuple[str, ...] = (
    "name",
    "capabilities",
    "lacking",
    "input_modalities",
    "output_modalities",
    "context_max",
    "output_max",
    "api_version",
    "lab",
    "knowledge_cutoff",
    "open_weights",
    "limits",
    "deprecated",
    "successor",
)
"""Facts whose change is a DetailsChanged."""

TRACKED: tuple[str, ...] = (*PriceChanged.fields, *DETAILS, "expires_at")
"""Every fact whose change is published. Descriptions, hints, release dates and the order of a list are noise."""


class _Stamp(TypedDict):
    """What every change of one provider says first."""

    position: Position
    at: datetime
    provider_id: str


_Stamps = Iterator[_Stamp]


def diff(
    before: ProviderState,
    after: ProviderState,
    *,
    at: datetime,
    since: Position,
    cause: StatusCause | None = None,
) -> list[Change]:
    """The changes from one state of a provider to a later one, numbered from the position after `since`.

    A provider's first own list raises a Resync in place of a change for each model. Until then the packaged data is
    compared with itself, so that its statuses are published. `cause` replaces the cause that the rules give.
    """
    stamps: _Stamps = (_Stamp(position=since.later(n), at=at, provider_id=after.id) for n in count(1))
    pair = _Pair(before, after, at, stamps, cause)
    changes: list[Change] = list(_health(pair))
    if after.listing.is_reference and not before.listing.is_reference:
        position = next(stamps)["position"]
        changes.append(Resync(position=position, at=at, reason=f"The first list of {after.profile.name} has come."))
    else:
        changes.extend(_statuses(pair) if before.listing is after.listing else _models(pair))
    return changes


class _Pair(NamedTuple):
    before: ProviderState
    after: ProviderState
    at: datetime
    stamps: _Stamps
    cause: StatusCause | None

    def view(self, facts: ModelFacts) -> ModelView:
        return self.after.view(facts, fallback=self.at)


def _health(pair: _Pair) -> Iterator[Change]:
    before, after = pair.before.lasting.health, pair.after.lasting.health
    if before is not after:
        yield ProviderHealthChanged(
            **next(pair.stamps),
            health=pair.after.health,
            model_count=pair.after.model_count,
            before=before,
            after=after,
        )


def _models(pair: _Pair) -> Iterator[Change]:
    old, new = pair.before.listing.models, pair.after.listing.models
    for id_, facts in new.items():
        known = old.get(id_)
        if known is None:
            yield ModelAdded(**next(pair.stamps), model=pair.view(facts))
            continue
        if known is not facts:
            yield from _facts(known, facts, pair.view(facts), pair.stamps)
        yield from _status(pair, facts)
    for id_, facts in old.items():
        if id_ not in new:
            yield ModelRemoved(**next(pair.stamps), model=pair.before.view(facts, fallback=pair.at))


def _statuses(pair: _Pair) -> Iterator[Change]:
    """Compare the statuses of one listing: all of them only where the rule for almost all models changed."""
    old, new, models = pair.before.statuses, pair.after.statuses, pair.after.listing.models
    ids = models if old.common is not new.common else (id_ for id_ in models if id_ in old.own or id_ in new.own)
    for id_ in ids if old is not new else ():
        yield from _status(pair, models[id_])


def _status(pair: _Pair, facts: ModelFacts) -> Iterator[Change]:
    old, new = pair.before.statuses.of(facts.id), pair.after.statuses.of(facts.id)
    if old.status is not new.status:
        yield StatusChanged(
            **next(pair.stamps),
            model=pair.view(facts),
            before=old.status,
            after=new.status,
            cause=pair.cause or status_cause(old, new),
        )


def _facts(old: ModelFacts, new: ModelFacts, view: ModelView, stamps: _Stamps) -> Iterator[Change]:
    if any(getattr(old, f) != getattr(new, f) for f in PriceChanged.fields):
        yield PriceChanged(**next(stamps), model=view, before=old.price, after=new.price)
    fields = tuple(f for f in DETAILS if getattr(old, f) != getattr(new, f))
    if fields:
        yield DetailsChanged(**next(stamps), model=view, fields=fields)
    if old.expires_at != new.expires_at:
        if new.expires_at is None:
            yield ExpiryWithdrawn(**next(stamps), model=view)
        else:
            yield ExpiryAnnounced(**next(stamps), model=view, expires_at=new.expires_at)


def apply(changes: Iterable[Change], models: Mapping[str, ModelFacts]) -> dict[str, ModelFacts]:
    """The models after some changes, as far as tracked facts go: each change moves only the facts that it speaks of."""
    result = dict(models)
    for change in changes:
        if isinstance(change, ModelAdded):
            result[change.model.facts.id] = change.model.facts
        elif isinstance(change, ModelRemoved):
            result.pop(change.model.facts.id, None)
        elif isinstance(change, ModelChange):
            new = change.model.facts
            moved = {field: getattr(new, field) for field in _moved(change)}
            result[new.id] = result[new.id].model_copy(update=moved)
    return result


def _moved(change: ModelChange) -> tuple[str, ...]:
    if isinstance(change, PriceChanged | DetailsChanged):
        return change.fields
    return ("expires_at",) if isinstance(change, ExpiryAnnounced | ExpiryWithdrawn) else ()


def tracked(models: Mapping[str, ModelFacts]) -> dict[str, dict[str, object]]:
    """The tracked facts of each model by id: what two lists must agree on to be the same."""
    return {id_: {field: getattr(facts, field) for field in TRACKED} for id_, facts in models.items()}

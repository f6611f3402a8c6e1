"""What changed between two states of a provider, and the way back: `facts(apply(diff(a, b), a)) == facts(b)`."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import count
from typing import TypedDict

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
from catalogue.snapshot import ProviderState
from catalogue.view import ModelView

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
    "family",
)
"""Facts whose change is a DetailsChanged."""

TRACKED: tuple[str, ...] = (*PriceChanged.fields, *DETAILS, "expires_at")
"""Every fact whose change is told; descriptions, release dates, list order and times of checks are noise."""


class _Stamp(TypedDict):
    """What every change of one provider says first."""

    seq: int
    at: datetime
    provider_id: str


_Stamps = Iterator[_Stamp]


def diff(before: ProviderState, after: ProviderState, *, at: datetime, after_seq: int = 0) -> list[Change]:
    """The changes from one state of a provider to a later one, numbered from `after_seq` on.

    A provider's first own list raises a Resync in place of a change for each model; until then the packaged data is
    compared with itself, so that its statuses are told.
    """
    stamps: _Stamps = (_Stamp(seq=seq, at=at, provider_id=after.id) for seq in count(after_seq + 1))
    changes: list[Change] = list(_health(before, after, stamps))
    if after.listing.is_reference and not before.listing.is_reference:
        seq = next(stamps)["seq"]
        changes.append(Resync(seq=seq, at=at, reason=f"The first list of {after.profile.name} has come."))
    else:
        changes.extend(_models(before, after, at, stamps))
    return changes


def _health(before: ProviderState, after: ProviderState, stamps: _Stamps) -> Iterator[Change]:
    if before.standing.status is not after.standing.status:
        yield ProviderHealthChanged(
            **next(stamps),
            standing=after.standing,
            model_count=after.model_count,
            before=before.standing.status,
            after=after.standing.status,
        )


def _models(before: ProviderState, after: ProviderState, at: datetime, stamps: _Stamps) -> Iterator[Change]:
    old, new = before.listing.models, after.listing.models
    for id_, facts in new.items():
        known = old.get(id_)
        if known is None:
            yield ModelAdded(**next(stamps), model=after.view(facts, at))
            continue
        status_before, status_after = before.verdict(id_).status, after.verdict(id_).status
        if known is facts and status_before is status_after:
            continue
        view = after.view(facts, at)
        if known is not facts:
            yield from _facts(known, facts, view, stamps)
        if status_before is not status_after:
            yield StatusChanged(**next(stamps), model=view, before=status_before, after=status_after)
    for id_, facts in old.items():
        if id_ not in new:
            yield ModelRemoved(**next(stamps), model=before.view(facts, at))


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

"""The changes between two states of a provider."""

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
    """The fields that every change of one provider has."""

    position: Position
    at: datetime
    provider_id: str


_Stamps = Iterator[_Stamp]


def diff(
    before: ProviderState, after: ProviderState, *, at: datetime, since: Position, cause: StatusCause | None = None
) -> list[Change]:
    """The changes from one state of a provider to a later one, numbered from the position after `since`.

    A provider's first own list raises a Resync in place of a change for each model. Until then the packaged data is
    compared with itself, so that its statuses are published. `cause` replaces the cause that the rules give.
    """
    id_ = after.lasting.profile.id
    stamps: _Stamps = (_Stamp(position=since.later(n), at=at, provider_id=id_) for n in count(1))
    changes: list[Change] = []
    was, now = before.lasting.statuses.conditions.health, after.lasting.statuses.conditions.health
    if was is not now:
        changes.append(
            ProviderHealthChanged(
                **next(stamps), health=after.health, model_count=after.model_count, before=was, after=now
            )
        )
    if after.lasting.listing.is_reference and not before.lasting.listing.is_reference:
        reason = f"The first list of {after.lasting.profile.name} has come."
        changes.append(Resync(position=next(stamps)["position"], at=at, reason=reason))
    else:
        changes.extend(_models(before, after, stamps, at, cause))
    return changes


def _models(
    before: ProviderState, after: ProviderState, stamps: _Stamps, at: datetime, cause: StatusCause | None
) -> Iterator[Change]:
    old, new = before.lasting.listing.models, after.lasting.listing.models
    was, now = before.lasting.statuses, after.lasting.statuses
    ids: Iterable[str] = new
    if old is new and was.common is now.common:
        ids = () if was is now else [id_ for id_ in new if id_ in was.own or id_ in now.own]
    for id_ in ids:
        facts, known = new[id_], old.get(id_)
        rule, earlier = now.own.get(id_, now.common), was.own.get(id_, was.common)
        if known is facts and rule.status is earlier.status:
            continue
        view = after.view(facts, fallback=at)
        if known is None:
            yield ModelAdded(**next(stamps), model=view)
            continue
        yield from _facts(known, facts, view, stamps)
        if rule.status is not earlier.status:
            moved = cause or status_cause(earlier, rule)
            yield StatusChanged(**next(stamps), model=view, before=earlier.status, after=rule.status, cause=moved)
    for id_ in (id_ for id_ in old if id_ not in new):
        yield ModelRemoved(**next(stamps), model=before.view(old[id_], fallback=at))


def _facts(old: ModelFacts, new: ModelFacts, view: ModelView, stamps: _Stamps) -> Iterator[Change]:
    if old is new:
        return
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


def tracked(models: Mapping[str, ModelFacts]) -> dict[str, dict[str, object]]:
    """The tracked facts of each model by id: what two lists must agree on to be the same."""
    return {id_: {field: getattr(facts, field) for field in TRACKED} for id_, facts in models.items()}

"""The way back from changes to a state: `tracked(apply(diff(a, b), a)) == tracked(b)`."""

from collections.abc import Iterable, Mapping

from catalogue.change import (
    Change,
    DetailsChanged,
    ExpiryAnnounced,
    ExpiryWithdrawn,
    ModelAdded,
    ModelChange,
    ModelRemoved,
    PriceChanged,
)
from catalogue.facts import ModelFacts


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

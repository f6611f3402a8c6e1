"""Decides whether a new list is suspicious, so that it is held back for an admin."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalogue.facts import ModelFacts, Price, PricingUnit, in_unit
from catalogue.health import Suspicion
from catalogue.listing import Listing

JUMP = Decimal(10)
"""A price that rises or falls by this factor, or to zero, has jumped; so has one that vanishes."""
MIN_MODELS = 10
"""A share counts from this many models on."""
_SAMPLE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardLimits:
    """A list is held back if larger shares than these changed."""

    removed_share: float = 0.30
    repriced_share: float = 0.05


def suspicion(before: Listing, rows: Sequence[ModelFacts], limits: GuardLimits) -> Suspicion | None:
    """Why the new rows are suspicious, compared with the last good list; null if they are not.

    Packaged data is not a reference for losses; it only shows that the list should not be empty.
    """
    if rows and not before.is_reference:
        return None
    old = {id_: facts for id_, facts in before.models.items() if id_ not in before.gone}
    new = {facts.id: facts for facts in rows}
    removed = [id_ for id_ in old if id_ not in new]
    jumps = list(_jumps(old, new))
    reason = _reason(old, new, removed, jumps, limits)
    if reason is None:
        return None
    return Suspicion(
        reason=reason,
        added=sum(id_ not in old for id_ in new),
        removed=len(removed),
        repriced=len(jumps),
        sample=(*(f"removes {id_}" for id_ in removed[:_SAMPLE]), *(f"reprices {j}" for j in jumps[:_SAMPLE])),
    )


def _reason(
    old: Mapping[str, ModelFacts],
    new: Mapping[str, ModelFacts],
    removed: Sequence[str],
    jumps: Sequence[str],
    limits: GuardLimits,
) -> str | None:
    if old and not new:
        return f"The list is empty; {len(old)} models were known."
    if len(removed) >= MIN_MODELS and len(removed) > limits.removed_share * len(old):
        return f"The list lost {len(removed)} of {len(old)} models."
    priced = sum(1 for facts in old.values() if facts.price is not None)
    if len(jumps) >= MIN_MODELS and len(jumps) > limits.repriced_share * priced:
        return f"The prices of {len(jumps)} of {priced} priced models jumped tenfold, fell to zero or vanished."
    return None


def _jumps(old: Mapping[str, ModelFacts], new: Mapping[str, ModelFacts]) -> Iterator[str]:
    """A line for each model whose price jumped or vanished."""
    for id_, facts in new.items():
        known = old.get(id_)
        if known is None or known.price is None or known.price == facts.price:
            continue
        if facts.price is None:
            yield f"{id_}: its price vanishes ({', '.join(_amounts(known.price)) or 'not by token'})"
        elif moves := list(_moves(known.price, facts.price)):
            yield f"{id_}: {', '.join(moves)}"


def _amounts(price: Price) -> Iterator[str]:
    for part, amount in (("input", price.input), ("output", price.output)):
        if amount is not None:
            yield f"{part} {_shown(amount)}"


def _moves(before: Price, after: Price) -> Iterator[str]:
    for part, old, new in (("input", before.input, after.input), ("output", before.output, after.output)):
        if old is None or new is None or old == new:
            continue
        if new == 0 or (old != 0 and (new >= old * JUMP or old >= new * JUMP)):
            yield f"{part} {_shown(old)} → {_shown(new)}"


def _shown(amount: Decimal) -> str:
    return f"{in_unit(amount, PricingUnit.MILLION):.10g}"

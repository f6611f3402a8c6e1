"""The units that prices are told in."""

from decimal import Decimal
from enum import Enum


class PricingUnit(Enum):
    """How many tokens a price is for."""

    TOKEN = 1
    THOUSAND = 1_000
    MILLION = 1_000_000


def in_unit(amount: Decimal | None, unit: PricingUnit) -> float | None:
    """A price per token in another unit, multiplied before it leaves decimal arithmetic."""
    return None if amount is None else float(amount * unit.value)

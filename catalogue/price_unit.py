"""The numbers of tokens that prices are shown for."""

from decimal import Decimal

from catalogue.vocabulary import Described


class PricingUnit(Described):
    """A number of tokens that a price is for."""

    TOKEN = 1, "One token."
    THOUSAND = 1_000, "A thousand tokens."
    MILLION = 1_000_000, "A million tokens."


def in_unit(amount: Decimal | None, unit: PricingUnit) -> float | None:
    """A price per token in another unit, multiplied before it leaves decimal arithmetic."""
    return None if amount is None else float(amount * unit.value)

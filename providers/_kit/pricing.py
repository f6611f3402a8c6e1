"""What follows from prices: whether a model costs money, and whether anything is published at all."""

from collections.abc import Iterator
from decimal import Decimal

from catalogue.facts import Price, PriceTier


def published(price: Price) -> Price | None:
    """The price, or null where it states no amount."""
    return price if any(amount is not None for amount in _amounts(price)) else None


def premium(price: Price | None, *, billed_elsewhere: bool = False) -> bool | None:
    """Whether a model costs money: free only where input, output and everything else stated are 0.

    Zeros mean nothing where what the model gives is billed elsewhere, as images and songs are.
    """
    if price is None:
        return None
    if any(amount for amount in _amounts(price)):
        return True
    return False if price.input == 0 and price.output == 0 and not billed_elsewhere else None


def _amounts(price: Price) -> Iterator[Decimal | None]:
    parts: tuple[Price | PriceTier, ...] = (price, *price.tiers)
    for part in parts:
        yield from (part.input, part.output, part.cache_read, part.cache_write)
    yield from (price.request, price.image)
    yield from (item.amount for item in price.other)

"""Reads prices by a list's field names, and decides whether a model costs money."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import Any

from catalogue.facts import Price, PriceItem, PriceTier
from providers._kit.row import Row
from providers._kit.units import PER_TOKEN

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceNames:
    """The fields that hold a list's prices, and the number of tokens that they are for."""

    input: Names
    output: Names
    cache_read: Names = ()
    cache_write: Names = ()
    request: Names = ()
    image: Names = ()
    other: Mapping[str, tuple[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    """Other billed items: from the kind to the field and the unit that one amount pays for."""
    per: Decimal = PER_TOKEN

    def price(self, row: Row, tiers: Iterable[PriceTier] = ()) -> Price | None:
        """The prices in a row; null if it has none."""
        price = Price(**self._stated(row, request=self.request, image=self.image), tiers=tuple(tiers))
        return price if any(amount is not None for amount in _amounts(price)) else None

    def tier(self, row: Row, **conditions: Any) -> PriceTier:
        """The prices in a row that apply under conditions, which are fields of `PriceTier`."""
        return PriceTier(**conditions, **self._stated(row))

    def _stated(self, row: Row, **each: Names) -> dict[str, Any]:
        """The prices that `Price` and `PriceTier` share, and those of `each`, which are not for tokens."""
        usd = partial(row.usd, per=self.per)
        items = ((kind, unit, usd(name)) for kind, (name, unit) in self.other.items())
        return {
            "input": usd(*self.input),
            "output": usd(*self.output),
            "cache_read": usd(*self.cache_read),
            "cache_write": usd(*self.cache_write),
            "other": tuple(PriceItem(kind=k, unit=u, amount=a) for k, u, a in items if a is not None),
            **{name: row.usd(*names) for name, names in each.items()},
        }


def premium(price: Price | None, *, billed_elsewhere: bool = False) -> bool | None:
    """Whether a model costs money; it is free only if input, output and every other stated price are 0.

    Zeros prove nothing if the output is billed elsewhere, as images and songs are.
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
        yield from (item.amount for item in part.other)
    yield from (price.request, price.image)

"""The prices of a model, for the number of tokens that the caller asks for."""

from typing import Any

import strawberry

from catalogue.facts import Price, PriceTier, PricingUnit, in_unit
from schema.arguments import Per
from schema.declaration import field, output
from schema.policy import Policy, Reads

_SOME = Policy(Reads.NOTHING, rows=2)


def _tokens(name: str, description: str) -> Any:
    """A token price. It is multiplied in decimal arithmetic, before it becomes a float."""

    def amount(root: strawberry.Parent[Price | PriceTier], per: Per = PricingUnit.TOKEN) -> float | None:
        return in_unit(getattr(root, name), per)

    return strawberry.field(resolver=amount, description=description)


@output(Reads.NOTHING, name="PriceItem")
class Item:
    """The price of something other than text tokens."""

    kind: str = field("What is billed, such as `web_search`, `audio` or `image_output`.")
    unit: str = field("The unit that the amount is for, such as `token`, `request`, `image` or `search`.")
    amount: float = field("The price of one unit, in the currency of the pricing.")


@output(Reads.NOTHING, name="PriceTier")
class Tier:
    """Prices that replace the base prices while all conditions of the tier hold."""

    above_prompt_tokens: int | None = field("Applies to prompts with more tokens than this. Null means any prompt.")
    utc_start: str | None = field("Applies from this time of day, HH:MM in UTC. Null means any time.")
    utc_end: str | None = field(
        "Applies until just before this time of day, HH:MM in UTC. If it precedes the start, the period spans midnight."
    )
    utc_days: list[str] = field(
        "Applies on these days of the week, as the provider names them. An empty list means every day."
    )
    input: float | None = _tokens("input", "The price of prompt tokens. Null means the base price.")
    output: float | None = _tokens("output", "The price of completion tokens. Null means the base price.")
    cache_read: float | None = _tokens("cache_read", "The price of cached prompt tokens. Null means the base price.")
    cache_write: float | None = _tokens("cache_write", "The price of caching prompt tokens. Null means the base price.")
    other: list[Item] = field("Other prices in this tier. The base price applies to a kind that is absent.", _SOME)


@output(Reads.NOTHING)
class Pricing:
    """The prices of using a model. Null means that a price is unpublished, not that it is free."""

    input: float | None = _tokens("input", "The price of prompt tokens. Null if unpublished.")
    output: float | None = _tokens("output", "The price of completion tokens. Null if unpublished.")
    cache_read: float | None = _tokens("cache_read", "The price of cached prompt tokens. Null if unpublished.")
    cache_write: float | None = _tokens("cache_write", "The price of caching prompt tokens. Null if unpublished.")
    request: float | None = field("The price of a request, in addition to its tokens. Null if unpublished.")
    image: float | None = field("The price of an input image. Null if unpublished.")
    currency: str = field("The currency of all amounts, as an ISO 4217 code.")
    tiers: list[Tier] = field(
        "Prices that depend on prompt length or time of day. If several tiers set a price, the last one wins.", _SOME
    )
    other: list[Item] = field("Prices of anything else.", _SOME)

"""What using a model costs, in the unit that the caller asks for."""

from typing import Any

import strawberry

from catalogue.facts import Price, PriceTier
from catalogue.price_unit import PricingUnit, in_unit
from schema.arguments import Per
from schema.policy import POLICY, Policy, Reads, default_reads


def _tokens(name: str, description: str) -> Any:
    """A price field of tokens, multiplied before it leaves decimal arithmetic."""

    def amount(root: strawberry.Parent[Price | PriceTier], per: Per = PricingUnit.TOKEN) -> float | None:
        return in_unit(getattr(root, name), per)

    return strawberry.field(resolver=amount, description=description)


@default_reads(Reads.NOTHING)
@strawberry.type(name="PriceItem", description="Something else that is billed.")
class Item:
    """A `PriceItem` of the facts."""

    kind: str = strawberry.field(description="What is billed, such as web_search, audio or image_output.")
    unit: str = strawberry.field(description="What one amount pays for, such as token, request, image or search.")
    amount: float = strawberry.field(description="The price of one unit, in the pricing's currency.")


@default_reads(Reads.NOTHING)
@strawberry.type(
    name="PriceTier", description="Prices that hold under a condition; one that is null here is the base price."
)
class Tier:
    """A `PriceTier` of the facts."""

    above_prompt_tokens: int | None = strawberry.field(description="It holds for prompts longer than this many tokens.")
    utc_start: str | None = strawberry.field(description="It holds from this time of day on, UTC, as HH:MM.")
    utc_end: str | None = strawberry.field(
        description="It holds until before this time of day, UTC, as HH:MM; an end before the start wraps midnight."
    )
    utc_days: list[str] = strawberry.field(description="It holds on these days of the week; none means every day.")
    input: float | None = _tokens("input", "What prompt tokens cost, in the pricing's currency.")
    output: float | None = _tokens("output", "What completion tokens cost, in the pricing's currency.")
    cache_read: float | None = _tokens("cache_read", "What prompt tokens read from the cache cost.")
    cache_write: float | None = _tokens("cache_write", "What prompt tokens written to the cache cost.")
    other: list[Item] = strawberry.field(
        description="What else is billed differently; an item not named here costs what it costs in the base.",
        metadata={POLICY: Policy(Reads.NOTHING, rows=2)},
    )


@default_reads(Reads.NOTHING)
@strawberry.type(description="What using a model costs; null means unpublished, which is not free.")
class Pricing:
    """A `Price` of the facts."""

    input: float | None = _tokens("input", "What prompt tokens cost.")
    output: float | None = _tokens("output", "What completion tokens cost.")
    cache_read: float | None = _tokens("cache_read", "What prompt tokens read from the cache cost.")
    cache_write: float | None = _tokens("cache_write", "What prompt tokens written to the cache cost.")
    request: float | None = strawberry.field(description="What one request costs on top.")
    image: float | None = strawberry.field(description="What one input image costs.")
    currency: str = strawberry.field(description="The ISO 4217 code of every amount.")
    tiers: list[Tier] = strawberry.field(
        description="Long-context, time-of-day and similar bands, in the order in which later ones win.",
        metadata={POLICY: Policy(Reads.NOTHING, rows=2)},
    )
    other: list[Item] = strawberry.field(
        description="What else is billed.", metadata={POLICY: Policy(Reads.NOTHING, rows=2)}
    )

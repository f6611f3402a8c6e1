"""A provider's facts about a model: frozen records that are parsed, stored and compared."""

from collections.abc import Hashable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict

from catalogue.vocabulary import Capability, Described, Modality

_Value = TypeVar("_Value", bound=Hashable)
_NO_FIELDS: set[str] = set()


class Record(BaseModel):
    """The base of every stored fact: frozen, strict about unknown fields, documented by its attributes."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    def __getstate__(self) -> dict[Any, Any]:
        """Only the fields: the set of fields that were set would double the memory of a list, and is not used."""
        return self.__dict__

    def __setstate__(self, state: dict[Any, Any]) -> None:
        """Take the fields."""
        unset = {"__pydantic_fields_set__": _NO_FIELDS, "__pydantic_extra__": None, "__pydantic_private__": None}
        super().__setstate__({"__dict__": state, **unset})


@lru_cache(maxsize=4096)
def _shared(value: Hashable) -> Any:
    return value


def shared(value: _Value) -> _Value:
    """The value, or an equal one that was met before: what thousands of models have in common is in memory once."""
    found: _Value = _shared(value)
    return found


Capabilities = Annotated[frozenset[Capability], AfterValidator(shared)]
"""Some capabilities."""
Modalities = Annotated[tuple[Modality, ...], AfterValidator(shared)]
"""Some forms of data."""


class PriceItem(Record):
    """Something else that is billed."""

    kind: str
    """What is billed, such as web_search, audio or image_output."""
    unit: str
    """What one amount pays for, such as token, request, image or search."""
    amount: Decimal
    """USD per unit."""


class PriceTier(Record):
    """Prices that hold under a condition; a price that is null here is the base price."""

    above_prompt_tokens: int | None = None
    """Holds for prompts longer than this many tokens."""
    utc_start: str | None = None
    """Holds from this time of day on, UTC, as HH:MM; a window may wrap midnight."""
    utc_end: str | None = None
    """Holds until this time of day, UTC, as HH:MM, exclusive."""
    utc_days: tuple[str, ...] = ()
    """Holds on these days of the week only, as the provider names them; empty means every day."""
    input: Decimal | None = None
    """USD per prompt token."""
    output: Decimal | None = None
    """USD per completion token."""
    cache_read: Decimal | None = None
    """USD per prompt token read from the cache."""
    cache_write: Decimal | None = None
    """USD per prompt token written to the cache."""
    other: tuple[PriceItem, ...] = ()
    """What else is billed differently; an item that is not named here costs what it costs in the base."""


class Price(Record):
    """What using a model costs; null means unpublished, which is not free."""

    input: Decimal | None = None
    """USD per prompt token."""
    output: Decimal | None = None
    """USD per completion token."""
    cache_read: Decimal | None = None
    """USD per prompt token read from the cache."""
    cache_write: Decimal | None = None
    """USD per prompt token written to the cache."""
    request: Decimal | None = None
    """USD per request."""
    image: Decimal | None = None
    """USD per input image."""
    currency: str = "USD"
    """The ISO 4217 code of every amount."""
    tiers: tuple[PriceTier, ...] = ()
    """Long-context, time-of-day and similar bands, in the order in which later ones win."""
    other: tuple[PriceItem, ...] = ()
    """What else is billed."""


class PricingUnit(Described):
    """A number of tokens that a price is for."""

    TOKEN = 1, "One token."
    THOUSAND = 1_000, "A thousand tokens."
    MILLION = 1_000_000, "A million tokens."


def in_unit(amount: Decimal | None, unit: PricingUnit) -> float | None:
    """A price per token in another unit, multiplied before it leaves decimal arithmetic."""
    return None if amount is None else float(amount * unit.value)


class RateLimit(Record):
    """How much a provider lets one caller use a model."""

    requests_per_minute: int | None = None
    """Requests per minute."""
    tokens_per_minute: int | None = None
    """Tokens per minute."""


class ModelFacts(Record):
    """One AI model as one provider describes it."""

    id: str
    """Unique: the provider's id, a slash, and the provider's own model id."""
    provider_id: str
    """The provider that offers it."""
    name: str
    """A label for people; the model id where the provider gives none."""
    description: str | None = None
    """The provider's own words about it."""
    capabilities: Capabilities = frozenset()
    """What it is known to be able to do."""
    lacking: Capabilities = frozenset()
    """What it is known not to be able to do; what is in neither set is unknown."""
    input_modalities: Modalities = ()
    """The forms of data it takes, only those that the provider states; a form that is missing may be unstated."""
    output_modalities: Modalities = ()
    """The forms of data it gives, only those that the provider states; a form that is missing may be unstated."""
    premium: bool | None = None
    """Whether using it costs money; null when the price is unknown."""
    context_max: int | None = None
    """The most tokens that prompt and answer can have together."""
    output_max: int | None = None
    """The most tokens that an answer can have."""
    api_version: str | None = None
    """The version of the model's API, where the provider names one."""
    lab: str | None = None
    """Who made the model, where known."""
    knowledge_cutoff: str | None = None
    """Until when its training data reaches, as published: YYYY, YYYY-MM or YYYY-MM-DD."""
    open_weights: bool | None = None
    """Whether its weights are published."""
    price: Price | None = None
    """What it costs; null when unpublished, which is not free."""
    limits: RateLimit | None = None
    """How much one caller may use it, if the provider publishes it."""
    released_at: datetime | None = None
    """When it was released at this provider."""
    expires_at: datetime | None = None
    """When the provider has announced to end it; a date without a time is the end of that UTC day."""
    deprecated: bool = False
    """Whether the provider flags it as deprecated, retired or inactive."""
    successor: str | None = None
    """The provider's own id of the model it names as successor, or that an alias stands for."""
    weights: str | None = None
    """The repository of its published weights. A hint to its identity, like the next field."""
    canonical_name: str | None = None
    """The provider's own name of the underlying model, without host and variant."""

    @property
    def vision(self) -> bool | None:
        """Whether it takes images; null when unknown."""
        return knows(self, Capability.VISION)

    @property
    def unknown_capabilities(self) -> tuple[Capability, ...]:
        """The capabilities for which the provider states neither yes nor no, in the vocabulary's order."""
        return tuple(c for c in Capability if c not in self.capabilities and c not in self.lacking)


def knows(facts: ModelFacts, capability: Capability) -> bool | None:
    """Whether a model has a capability; null if the provider does not state it."""
    if capability in facts.capabilities:
        return True
    return False if capability in facts.lacking else None

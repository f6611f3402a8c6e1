"""Requesty, a gateway: its list is public (with a key, the models that the organisation approved); USD per token."""

from catalogue.facts import ModelFacts, Price
from catalogue.vocabulary import Capability
from providers._kit.adapter import Adapter, CallLimits
from providers._kit.capabilities import chat_modalities, for_code, stated
from providers._kit.pricing import PriceNames, premium
from providers._kit.row import Row

_FLAGS = {
    Capability.VISION: "supports_vision",
    Capability.IMAGE_OUTPUT: "supports_image_generation",
    Capability.TOOLS: "supports_tool_calling",
    Capability.STRUCTURED_OUTPUT: "supports_output_json_schema",
    Capability.JSON_MODE: "supports_output_json_object",
    Capability.REASONING: "supports_reasoning",
    Capability.WEB_SEARCH: "supports_web_search",
    Capability.COMPUTER_USE: "supports_computer_use",
    Capability.PROMPT_CACHING: "supports_caching",
}
_PRICES = PriceNames(
    input=("input_price",),
    output=("output_price",),
    cache_read=("cached_price",),
    cache_write=("caching_price", "caching_5m_price"),
    other={"input_cache_write_1h": ("caching_1h_price", "token")},
)
_ABOVE = "prompt_tokens_threshold"
_APIS = {"chat": Capability.CHAT, "embedding": Capability.EMBEDDING, "embeddings": Capability.EMBEDDING}

_POLICY = "policy/"
"""Prefix of the ids of a key's own routing rules, which cost as much as the models that they choose."""


def read(row: Row) -> ModelFacts:
    """Read a model in the format of 2025 or 2026; the part of the id before the slash is the host, not the lab."""
    own_id = row.id("id")
    price = _price(row)
    claims: dict[Capability, bool | None] = {capability: row.flag(field) for capability, field in _FLAGS.items()}
    claims[Capability.CODE] = for_code(own_id, row.name("model_canonical_name"))
    api = _APIS.get((row.name("api") or "").lower())
    if api is not None:
        claims |= {Capability.CHAT: api is Capability.CHAT, api: True}
    return ModelFacts(
        id=f"{row.provider_id}/{own_id}",
        provider_id=row.provider_id,
        name=row.name("name") or own_id,
        description=row.text("description"),
        **stated(claims),
        input_modalities=chat_modalities(claims),
        output_modalities=chat_modalities(claims),
        premium=premium(price, billed_elsewhere=own_id.startswith(_POLICY)),
        context_max=row.count("context_window"),
        output_max=row.count("max_output_tokens"),
        lab=row.name("model_lab"),
        open_weights=row.flag("open_weights"),
        price=price,
        released_at=row.start("created"),
        expires_at=row.end("retires", "retires_at"),
        weights=row.name("hugging_face_id"),
        canonical_name=row.name("model_canonical_name"),
    )


def _price(row: Row) -> Price | None:
    """Read the prices. The top level repeats the first band; some rows have only the bands."""
    bands = row.rows("pricing")
    base = next((band for band in bands if not band.count(_ABOVE)), row.row())
    tiers = (_PRICES.tier(band, above_prompt_tokens=above) for band in bands if (above := band.count(_ABOVE)))
    return _PRICES.price(row.over(base), tiers=tiers)


ADAPTER = Adapter(
    id="requesty",
    name="Requesty",
    website="https://www.requesty.ai",
    base_url="https://router.requesty.ai/v1",
    key_env=("REQUESTY_API_KEY",),
    read=read,
    key_check="https://api-v2.requesty.ai/v1/auth/check",
    calls=CallLimits(requests_per_minute=120, burst=20, backoff_ms=500),
)

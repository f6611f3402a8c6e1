"""OpenRouter, a gateway to most labs: its list is public, its prices are strings in USD per token."""

import re
from collections.abc import Mapping

from catalogue.endpoint import Endpoint
from catalogue.facts import ModelFacts, Price, PriceTier
from catalogue.vocabulary import Capability, HealthStatus
from providers._kit.adapter import Adapter, EndpointReader
from providers._kit.capabilities import for_code, from_modalities, stated
from providers._kit.pricing import PriceNames, premium
from providers._kit.row import Row

_OTHER_UNITS = {
    "web_search": "search",
    "image_token": "token",
    "image_output": "token",
    "audio": "token",
    "audio_output": "token",
    "input_audio_cache": "token",
    "internal_reasoning": "token",
    "input_cache_write_1h": "token",
}
_PRICES = PriceNames(
    input=("prompt",),
    output=("completion",),
    cache_read=("input_cache_read",),
    cache_write=("input_cache_write",),
    request=("request",),
    image=("image",),
    other={kind: (kind, unit) for kind, unit in _OTHER_UNITS.items()},
)
_STATUS = {0: HealthStatus.HEALTHY, -2: HealthStatus.DEGRADED, -5: HealthStatus.DOWN}
"""Derived from the uptimes of endpoints with each status; other values have not been seen."""
_PARAMETERS = {
    Capability.TOOLS: {"tools"},
    Capability.STRUCTURED_OUTPUT: {"structured_outputs"},
    Capability.JSON_MODE: {"response_format"},
    Capability.REASONING: {"reasoning", "include_reasoning"},
    Capability.WEB_SEARCH: {"web_search_options"},
}
_SPECIAL_OUTPUTS = {Capability.RERANK: "rerank", Capability.SPEECH: "speech", Capability.TRANSCRIPTION: "transcription"}


def read(row: Row) -> ModelFacts:
    """Read a model. An alias is a model of its own, whose successor is the model that it points to."""
    own_id = row.id("id")
    architecture, top, target = row.row("architecture"), row.row("top_provider"), row.row("alias_target").name("slug")
    inputs = architecture.modalities("input_modalities") or ()
    outputs = architecture.modalities("output_modalities") or ()
    price = _price(row.row("pricing"))
    media = set(architecture.words("output_modalities") or ()) - {"text"}
    claims = _claims(row, own_id, price)
    return ModelFacts(
        id=f"{row.provider_id}/{own_id}",
        provider_id=row.provider_id,
        name=row.name("name") or own_id,
        description=row.text("description"),
        **stated(claims),
        input_modalities=inputs,
        output_modalities=outputs,
        premium=premium(price, billed_elsewhere=bool(media) and not own_id.endswith(":free")),
        context_max=row.count("context_length") or top.count("context_length"),
        output_max=top.count("max_completion_tokens"),
        lab=own_id.lstrip("~").rpartition("/")[0] or None,
        knowledge_cutoff=row.cutoff("knowledge_cutoff"),
        open_weights=True if row.name("hugging_face_id") else None,
        price=price,
        released_at=row.start("created"),
        expires_at=row.end("expiration_date"),
        successor=target,
        weights=row.name("hugging_face_id"),
        canonical_name=target,
    )


def _claims(row: Row, own_id: str, price: Price | None) -> dict[Capability, bool | None]:
    architecture = row.row("architecture")
    parameters = set(row.words("supported_parameters") or ())
    outputs = set(architecture.words("output_modalities") or ())
    claims = from_modalities(architecture.modalities("input_modalities"), architecture.modalities("output_modalities"))
    if parameters:
        claims |= {capability: bool(names & parameters) for capability, names in _PARAMETERS.items()}
    if outputs:
        claims |= {capability: name in outputs for capability, name in _SPECIAL_OUTPUTS.items()}
    if outputs & {"speech", "transcription"}:
        claims |= {Capability.CHAT: "text" in outputs}
    if "reasoning" in row:
        claims[Capability.REASONING] = True
    if row.row("pricing").usd("web_search"):
        claims[Capability.WEB_SEARCH] = True
    if price is not None and (price.cache_read, price.cache_write) != (None, None):
        claims[Capability.PROMPT_CACHING] = True
    claims[Capability.CODE] = for_code(row.name("name"), own_id)
    return claims


def _price(row: Row) -> Price | None:
    return _PRICES.price(row, tiers=filter(None, map(_tier, row.rows("overrides"))))


def _tier(row: Row) -> PriceTier | None:
    """Read a price override; one without a known condition is skipped, since it would seem to apply always."""
    above, start, end = row.count("min_prompt_tokens"), row.clock("utc_start"), row.clock("utc_end")
    days = row.words("utc_days") or ()
    if not (above or start or end or days):
        return None
    return _PRICES.tier(row, above_prompt_tokens=above, utc_start=start, utc_end=end, utc_days=days)


def _next_page(body: Mapping[str, object], _: str) -> str | None:
    links = body.get("links")
    following = links.get("next") if isinstance(links, dict) else None
    return following if isinstance(following, str) else None


def read_endpoint(row: Row) -> Endpoint:
    """Read one endpoint; a host may serve a model several times, with different tags."""
    host, tag = row.name("provider_name"), row.name("tag")
    plain = host or row.id("name", "tag")
    status, quantization = row.number("status"), row.name("quantization")
    return Endpoint(
        name=f"{plain} ({tag})" if tag and tag.lower() != plain.lower() else plain,
        status=HealthStatus.UNKNOWN if status is None else _STATUS.get(int(status), HealthStatus.UNKNOWN),
        uptime_30m=_share(row.number("uptime_last_30m")),
        uptime_1d=_share(row.number("uptime_last_1d")),
        context_max=row.count("context_length"),
        output_max=row.count("max_completion_tokens"),
        quantization=None if quantization == "unknown" else quantization,
        price=_price(row.row("pricing")),
        latency_ms_p50=row.row("latency_last_30m").number("p50"),
        throughput_p50=row.row("throughput_last_30m").number("p50"),
    )


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100


ADAPTER = Adapter(
    id="openrouter",
    name="OpenRouter",
    website="https://openrouter.ai",
    base_url="https://openrouter.ai/api/v1",
    list_path="/models?output_modalities=all",
    key_env=("OPENROUTER_API_KEY",),
    read=read,
    next_page=_next_page,
    has_more=re.compile(rb'"next"\s*:\s*"'),
    key_check="/key",
    endpoints=EndpointReader(
        path="/models/{model}/endpoints", rows=lambda body: body.row("data").rows("endpoints"), read=read_endpoint
    ),
)

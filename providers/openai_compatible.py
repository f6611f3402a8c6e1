"""OpenAI-compatible servers (vLLM, SGLang, LM Studio, LiteLLM, GPUStack and others) at any base URL.

Fields beyond the id have many names; a fact without a known name stays unknown. `owned_by` is not read as the lab: it
names the server's software or its operator as often.
"""

from decimal import Decimal

from catalogue.facts import ModelFacts, Price
from catalogue.vocabulary import Capability
from providers._kit.adapter import Adapter
from providers._kit.capabilities import chat_modalities, for_code, from_modalities, stated
from providers._kit.pricing import PriceNames, premium
from providers._kit.row import Row
from providers._kit.synonyms import claims_in
from providers._kit.units import PER_MILLION, PER_TOKEN, TEN_THOUSANDTHS_PER_MILLION, usd

_CONTEXT = (
    "context_length",
    "context_window",
    "max_model_len",
    "max_context_length",
    "context_size",
    "inputTokenLimit",
    "max_input_tokens",
)
_OUTPUT = ("max_completion_tokens", "max_output_tokens", "max_tokens", "max_output_length", "outputTokenLimit")
_BY_UNIT = {
    unit: PriceNames(
        input=("input",), output=("output",), cache_read=("cache_read",), cache_write=("cache_write",), per=per
    )
    for unit, per in {"usd_per_1m_tokens": PER_MILLION, "usd_per_token": PER_TOKEN}.items()
}
_COSTS = PriceNames(
    input=("input_cost_per_token",),
    output=("output_cost_per_token",),
    cache_read=("cache_read_input_token_cost",),
    cache_write=("cache_creation_input_token_cost",),
)
_TEN_THOUSANDTHS = PriceNames(
    input=("prompt_text_token_price", "input_token_price_per_m"),
    output=("completion_text_token_price", "output_token_price_per_m"),
    cache_read=("cached_prompt_text_token_price",),
    per=TEN_THOUSANDTHS_PER_MILLION,
)
_PER_TOKEN = PriceNames(
    input=("prompt",), output=("completion",), cache_read=("input_cache_read",), cache_write=("input_cache_write",)
)
_MOST_EXPENSIVE = Decimal("0.01")
"""USD per token; a higher price is per million tokens without stating it."""
_ENDS = ("shutdown_date", "expiration_date", "deprecation_date", "deprecation", "retires", "retires_at")
_ENDED = {"deprecated", "retired", "inactive", "offline"}
_SAMPLE = "sample_spec"
"""The entry of LiteLLM's price map that documents the others."""


def read(row: Row) -> ModelFacts | None:
    """Read a model by any of the known field names."""
    own_id = row.id("id", "name", "model", "slug", "key", "model_name")
    if own_id == _SAMPLE:
        return None
    price, architecture = _price(row), row.row("architecture").over(row)
    inputs = architecture.modalities("input_modalities", "supported_input_modalities")
    outputs = architecture.modalities("output_modalities", "supported_output_modalities")
    named, code = claims_in(row), for_code(own_id, *(row.words("tags") or ()))
    claims = {**from_modalities(inputs, outputs), **named, Capability.CODE: code}
    return ModelFacts(
        id=f"{row.provider_id}/{own_id}",
        provider_id=row.provider_id,
        name=row.name("display_name", "displayName", "title", "name") or own_id,
        description=row.text("description", "summary"),
        **stated(claims),
        input_modalities=inputs or chat_modalities(named),
        output_modalities=outputs or chat_modalities(named),
        premium=premium(price),
        context_max=row.count(*_CONTEXT),
        output_max=row.count(*_OUTPUT) or row.row("top_provider").count(*_OUTPUT),
        lab=row.name("model_lab", "publisher", "organization"),
        knowledge_cutoff=row.cutoff("knowledge_cutoff", "knowledge"),
        open_weights=row.flag("open_weights"),
        price=price,
        released_at=row.start("released", *(() if _gives_request_time(row) else ("created", "created_at"))),
        expires_at=row.end(*_ENDS) or row.row("deprecation").end("inference"),
        deprecated=_is_ended(row),
        successor=row.name("deprecation_replacement_model"),
        weights=row.name("hugging_face_id"),
    )


def _price(row: Row) -> Price | None:
    """Read prices whose unit is certain: `unit` names it, or the fields are known to be per token."""
    pricing = row.row("pricing")
    named = _BY_UNIT.get(pricing.name("unit") or "")
    if named is not None:
        return named.price(pricing)
    flat = _COSTS.price(row) or _TEN_THOUSANDTHS.price(row)
    return flat or _PER_TOKEN.price(pricing.where(_is_per_token))


def _is_per_token(stated: object) -> bool:
    """Whether a price is per token: a string that is not too high is; a number may be per million, unless it is 0."""
    amount = usd(stated)
    return amount is not None and amount < _MOST_EXPENSIVE and (isinstance(stated, str) or amount == 0)


def _is_ended(row: Row) -> bool:
    flags = (row.flag("is_deprecated"), row.flag("deprecated"), row.flag("offline"), row.flag("active") is False)
    return True in flags or (row.name("lifecycle", "lifecycle_status", "status") or "").lower() in _ENDED


def _gives_request_time(row: Row) -> bool:
    """Whether `created` is the time of the request, as with servers that name themselves as the owner."""
    return (row.name("owned_by") or "").lower() in {"vllm", "sglang", "llamacpp"}


ADAPTER = Adapter(id="openai-compatible", name="OpenAI-compatible endpoint", read=read)

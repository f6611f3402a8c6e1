"""Rows of a model list in the shape that each kind of provider serves, written by us.

The three makers give one plain row; keyword arguments replace or add fields. The lists hold one row of each
oddity that real lists have; `big_list` holds as many plausible rows as asked for, the same on every call.
"""

import random
from decimal import Decimal
from typing import Any

Row = dict[str, Any]

CREATED = 1_767_225_600
"""When the rows say their models came out: 2026-01-01, in seconds since the epoch."""


def openrouter_row(
    model_id: str,
    *,
    prompt: str = "0.000001",
    completion: str = "0.000004",
    inputs: tuple[str, ...] = ("text",),
    outputs: tuple[str, ...] = ("text",),
    **fields: Any,
) -> Row:
    """Give a row of OpenRouter's list of 2026; prices are strings of USD per token."""
    author, _, slug = model_id.lstrip("~").partition("/")
    canonical = f"{author}/{slug.partition(':')[0]}-20260101"
    row: Row = {
        "id": model_id,
        "canonical_slug": canonical,
        "hugging_face_id": None,
        "name": f"{author.title()}: {slug.replace('-', ' ').title()}",
        "created": CREATED,
        "description": f"{slug} answers questions and follows instructions...",
        "context_length": 131_072,
        "architecture": {
            "modality": f"{'+'.join(inputs)}->{'+'.join(outputs)}",
            "input_modalities": list(inputs),
            "output_modalities": list(outputs),
            "tokenizer": "Other",
            "instruct_type": None,
        },
        "pricing": {"prompt": prompt, "completion": completion},
        "top_provider": {"context_length": 131_072, "max_completion_tokens": 32_768, "is_moderated": False},
        "per_request_limits": None,
        "supported_parameters": ["max_tokens", "response_format", "temperature", "tool_choice", "tools"],
        "default_parameters": {},
        "supported_voices": None,
        "knowledge_cutoff": None,
        "expiration_date": None,
        "links": {"details": f"/api/v1/models/{canonical}/endpoints"},
    }
    return row | fields


def openrouter_endpoint(model_id: str, host: str, *, status: int = 0, **fields: Any) -> Row:
    """Give one endpoint of an OpenRouter model: status 0 is healthy, -2 degraded, -5 down."""
    uptime = {0: 99.6, -2: 91.5, -5: 12.0}.get(status)
    row: Row = {
        "name": f"{host} | {model_id}-20260101",
        "model_id": model_id,
        "model_name": model_id,
        "context_length": 131_072,
        "pricing": {"prompt": "0.000001", "completion": "0.000004", "discount": 0},
        "provider_name": host,
        "tag": f"{host.lower()}/fp8",
        "quantization": "fp8",
        "max_completion_tokens": 32_768,
        "max_prompt_tokens": None,
        "supported_parameters": ["max_tokens", "temperature", "tool_choice", "tools"],
        "status": status,
        "uptime_last_30m": uptime,
        "uptime_last_5m": None,
        "uptime_last_1d": uptime,
        "supports_implicit_caching": False,
        "latency_last_30m": None,
        "throughput_last_30m": None,
    }
    return row | fields


def requesty_row(model_id: str, *, prompt: float = 1e-06, completion: float = 4e-06, **fields: Any) -> Row:
    """Give a row of Requesty's list of 2026; prices are numbers of USD per token."""
    row: Row = {
        "api": "chat",
        "id": model_id,
        "object": "model",
        "created": CREATED,
        "updated": CREATED + 86_400,
        "owned_by": "system",
        "input_price": prompt,
        "output_price": completion,
        "pricing": [{"prompt_tokens_threshold": 0, "input_price": prompt, "output_price": completion}],
        "max_output_tokens": 32_768,
        "context_window": 200_000,
        "supports_caching": False,
        "supports_vision": False,
        "supports_computer_use": False,
        "supports_reasoning": False,
        "supports_tool_calling": True,
        "supports_output_json_object": True,
        "description": f"{model_id} answers questions and follows instructions.",
        "data_retention": False,
        "data_used_for_training": False,
        "privacy_comments": "N/A",
        "geolocation": "global",
        "model_lab": model_id.partition("/")[0],
        "model_canonical_name": model_id.rpartition("/")[2].partition("@")[0],
    }
    return row | fields


def openai_row(model_id: str, **fields: Any) -> Row:
    """Give a row as any OpenAI-compatible server serves it: four fields and nothing about price or ability."""
    row: Row = {"id": model_id, "object": "model", "created": CREATED, "owned_by": "practice"}
    return row | fields


def openrouter_list() -> list[Row]:
    """Give a small list with one row of each oddity: router, alias, free, batch, tiers, an end, an image model."""
    tiers = [{"min_prompt_tokens": 200_000, "prompt": "0.0000025", "completion": "0.000015"}]
    batch = openrouter_row("google/gemini-practice:batch", prompt="0.000000625", completion="0.000005")
    return [
        openrouter_row("openrouter/auto", prompt="-1", completion="-1"),
        openrouter_row("~openai/practice-latest", alias_target={"name": "Practice 5", "slug": "openai/practice-5"}),
        openrouter_row("openai/practice-5", inputs=("text", "image", "file"), reasoning={"mandatory": False}),
        openrouter_row(
            "google/gemini-practice",
            inputs=("text", "image", "audio", "video"),
            context_length=1_048_576,
            pricing={"prompt": "0.00000125", "completion": "0.00001", "overrides": tiers},
        ),
        batch,
        openrouter_row("meta/llama-practice", hugging_face_id="meta/Llama-Practice", prompt="0.00000007"),
        openrouter_row("meta/llama-practice:free", prompt="0", completion="0"),
        openrouter_row("mistral/medium-practice", expiration_date="2099-06-30"),
        openrouter_row("stealth/practice-alpha", prompt="0", completion="0", expiration_date="2098-12-31"),
        openrouter_row("flux/image-practice", prompt="0", completion="0", outputs=("image",), context_length=0),
    ]


def requesty_list() -> list[Row]:
    """Give a small list with one row of each oddity: tier bands, a region, a speed tier, unknown output, an end."""
    bands = [
        {"prompt_tokens_threshold": 0, "input_price": 1.25e-06, "output_price": 1e-05, "cached_price": 3e-07},
        {"prompt_tokens_threshold": 200_000, "input_price": 2.5e-06, "output_price": 1.5e-05},
    ]
    return [
        requesty_row("google/gemini-practice", prompt=1.25e-06, completion=1e-05, pricing=bands, supports_vision=True),
        requesty_row("bedrock/claude-practice@eu-central-1", geolocation="eu", supports_caching=True),
        requesty_row("openai/practice-5:flex", prompt=1e-07, supports_reasoning=True),
        requesty_row("novita/deepseek/practice-r1", max_output_tokens=0),
        requesty_row("deepseek/practice-chat", retires=CREATED + 86_400),
        requesty_row("policy/practice", prompt=0, completion=0),
    ]


def openai_list() -> list[Row]:
    """Give a small list of an OpenAI-compatible server, with a served adapter and an announced end."""
    return [
        openai_row("practice-large", max_model_len=131_072),
        openai_row("practice-lora", root="/models/lora", parent="practice-large", max_model_len=131_072),
        openai_row("practice-embed", context_window=8_192),
        openai_row("practice-old", shutdown_date="2099-06-30"),
    ]


_AUTHORS = ("acme", "borealis", "cumulus", "delta", "ember", "fjord", "granite", "harbour", "iris", "juniper")
_FAMILIES = ("atlas", "beacon", "cedar", "drift", "echo", "flint", "grove", "haze")
_SIZES = ("1b", "3b", "8b", "24b", "70b", "405b")
_INPUTS = (("text",), ("text", "image"), ("text", "image", "file"), ("text", "audio"))


def big_list(count: int = 5_000, seed: int = 7) -> list[Row]:
    """Give `count` distinct plausible OpenRouter rows, the same for the same seed."""
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        author, family, size = chance.choice(_AUTHORS), chance.choice(_FAMILIES), chance.choice(_SIZES)
        context = chance.choice((8_192, 32_768, 131_072, 200_000, 1_048_576))
        price = Decimal(chance.randrange(1, 2_000)).scaleb(-8)
        row = openrouter_row(
            f"{author}/{family}-{size}-{number}",
            prompt=f"{price:f}",
            completion=f"{price * chance.randrange(2, 6):f}",
            inputs=chance.choice(_INPUTS),
            context_length=context,
            created=CREATED - chance.randrange(60_000_000),
            description=f"A model of {size} parameters with {context:,} tokens of context. " * chance.randrange(1, 5),
        )
        rows.append(row)
    return rows

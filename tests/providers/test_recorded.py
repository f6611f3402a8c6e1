"""Recorded lists: every row is kept, and what a row states comes through to the last digit.

The expectations are read from the raw rows here, without the kit.
"""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from catalogue.facts import ModelFacts, PriceTier, knows
from catalogue.identity import family
from catalogue.vocabulary import Capability, HealthStatus, Modality
from providers._kit.registry import adapters
from upstream.parse import parse_endpoints, parse_list

PAYLOADS = Path(__file__).parents[2] / "../shared/payloads"
LISTS = sorted(PAYLOADS.glob("*/[0-9]*.json"))
ENDPOINTS = sorted(PAYLOADS.glob("openrouter/endpoints-*.json"))

pytestmark = pytest.mark.skipif(not LISTS, reason="the recorded lists are not beside this checkout")

OPENROUTER_TIER = {
    "input": "prompt",
    "output": "completion",
    "cache_read": "input_cache_read",
    "cache_write": "input_cache_write",
}
REQUESTY_TIER = {
    "input": "input_price",
    "output": "output_price",
    "cache_read": "cached_price",
    "cache_write": "caching_price",
    "input_cache_write_1h": "caching_1h_price",
}

SAID_OTHERWISE = {"embeddings": "embedding", "speech": "audio", "transcription": "text"}
"""Words of the lists for a modality that the vocabulary names differently; a rerank has no modality."""

Pair = tuple[dict[str, Any], ModelFacts]


def read(path: Path, dialect: str | None = None) -> list[Pair]:
    provider = path.parent.name
    parsed = parse_list(adapters()[dialect or provider], provider, provider, [path.read_bytes()])
    raw = json.loads(path.read_text(encoding="utf-8"), parse_float=str)["data"]
    assert parsed.dropped == 0
    return list(zip(raw, parsed.models, strict=True))


def money(stated: Any) -> Decimal | None:
    """What a price field states, in USD per token; what is absent or negative is not published."""
    amount = None if stated is None else Decimal(stated)
    return amount if amount is not None and amount >= 0 else None


def in_tier(tier: PriceTier, names: dict[str, str]) -> dict[str, Decimal]:
    """Every amount of a tier by the name that the provider's list gives it."""
    told = {field: getattr(tier, field) for field in ("input", "output", "cache_read", "cache_write")}
    told |= {item.kind: item.amount for item in tier.other}
    return {names.get(kind, kind): amount for kind, amount in told.items() if amount is not None}


@pytest.mark.parametrize("path", LISTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_row_is_kept_under_an_id_of_its_own(path: Path) -> None:
    pairs = read(path)
    assert [facts.id for _, facts in pairs] == [f"{path.parent.name}/{raw['id']}" for raw, _ in pairs]
    assert len({facts.id for _, facts in pairs}) == len(pairs)


@pytest.mark.parametrize("path", [p for p in LISTS if p.parent.name == "openrouter"], ids=lambda path: path.stem)
def test_openrouter_rows_come_through(path: Path) -> None:
    for raw, facts in read(path):
        pricing, price = raw["pricing"], facts.price
        stated = {name: money(amount) for name, amount in pricing.items() if name != "overrides"}
        if price is None:
            assert not any(amount is not None for amount in stated.values())
        else:
            assert price.input == stated.get("prompt")
            assert price.output == stated.get("completion")
            assert price.cache_read == stated.get("input_cache_read")
            assert price.cache_write == stated.get("input_cache_write")
            assert price.request == stated.get("request")
            assert price.image == stated.get("image")
            known = {"prompt", "completion", "input_cache_read", "input_cache_write", "request", "image"}
            others = {name: amount for name, amount in stated.items() if name not in known and amount is not None}
            assert {item.kind: item.amount for item in price.other} == others
            assert [t.input for t in price.tiers] == [money(o.get("prompt")) for o in pricing.get("overrides", ())]
            assert [t.output for t in price.tiers] == [money(o.get("completion")) for o in pricing.get("overrides", ())]
            assert [in_tier(t, OPENROUTER_TIER) for t in price.tiers] == [
                {name: Decimal(amount) for name, amount in o.items() if name != "min_prompt_tokens"}
                for o in pricing.get("overrides", ())
            ]
        assert facts.name == raw["name"].strip()
        assert facts.context_max == (raw["context_length"] or None)
        assert facts.output_max == raw["top_provider"]["max_completion_tokens"]
        assert facts.released_at == datetime.fromtimestamp(raw["created"], UTC)
        assert facts.knowledge_cutoff == raw.get("knowledge_cutoff")
        assert {m.value for m in facts.input_modalities} == set(raw["architecture"]["input_modalities"])
        outputs = {SAID_OTHERWISE.get(word, word) for word in raw["architecture"]["output_modalities"]} - {"rerank"}
        assert {m.value for m in facts.output_modalities} == outputs
        assert facts.vision is ("image" in raw["architecture"]["input_modalities"])
        parameters = raw["supported_parameters"]
        assert knows(facts, Capability.TOOLS) is (("tools" in parameters) if parameters else None)
        assert knows(facts, Capability.JSON_MODE) is (("response_format" in parameters) if parameters else None)
        ends = raw.get("expiration_date")
        told = None if ends in {None, "2098-12-31"} else datetime.fromisoformat(f"{ends}T23:59:59+00:00")
        assert facts.expires_at == told


@pytest.mark.parametrize("path", LISTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
@pytest.mark.parametrize("dialect", [None, "openai-compatible"])
def test_what_a_model_sees_and_draws_is_among_its_forms_of_data(path: Path, dialect: str | None) -> None:
    for raw, facts in read(path, dialect):
        assert (facts.vision is True) is (Modality.IMAGE in facts.input_modalities)
        assert (knows(facts, Capability.IMAGE_OUTPUT) is True) is (Modality.IMAGE in facts.output_modalities)
        if "supports_vision" in raw:
            assert (Modality.IMAGE in facts.input_modalities) is raw["supports_vision"]
            reads = raw["api"] == "chat" if "api" in raw else raw["supports_vision"]
            assert (Modality.TEXT in facts.input_modalities) is reads


@pytest.mark.parametrize("path", [p for p in LISTS if p.parent.name == "openrouter"], ids=lambda path: path.stem)
def test_a_stated_price_says_that_there_is_what_it_is_the_price_of(path: Path) -> None:
    for raw, facts in read(path):
        pricing, parameters = raw["pricing"], raw["supported_parameters"]
        caches = "input_cache_read" in pricing or "input_cache_write" in pricing
        assert (knows(facts, Capability.PROMPT_CACHING) is True) is caches
        searches = "web_search_options" in parameters or (money(pricing.get("web_search")) or 0) > 0
        assert (knows(facts, Capability.WEB_SEARCH) is True) is searches


def test_the_snapshots_that_one_list_offers_side_by_side_are_models_of_their_own() -> None:
    families = {facts.id: family(facts) for path in LISTS for _, facts in read(path)}
    june = {
        families[f"{p}/anthropic/claude-3{dot}5-sonnet-20240620"] for p, dot in (("openrouter", "."), ("requesty", "-"))
    }
    october = families["requesty/anthropic/claude-3-5-sonnet-20241022"]
    assert len(june) == 1
    assert len(june | {october, families["openrouter/anthropic/claude-3.5-sonnet"]}) == 3
    assert families["openrouter/anthropic/claude-sonnet-4"] == families["requesty/anthropic/claude-sonnet-4-20250514"]
    assert families["openrouter/google/gemini-flash-1.5"] == families["requesty/google/gemini-1.5-flash"]


def test_openrouter_prices_that_depend_on_the_choice_are_unknown_not_free() -> None:
    newest = max(p for p in LISTS if p.parent.name == "openrouter")
    facts = {f.id: f for _, f in read(newest)}
    auto, alias = facts["openrouter/openrouter/auto"], facts["openrouter/~anthropic/claude-sonnet-latest"]
    song = facts["openrouter/google/lyria-3-pro-preview"]
    assert (auto.price, auto.premium) == (None, None)
    assert (song.price is not None, song.premium) == (True, None)
    assert (alias.successor, family(alias)) == ("anthropic/claude-sonnet-5", "claude-sonnet-5")


@pytest.mark.parametrize("path", [p for p in LISTS if p.parent.name == "requesty"], ids=lambda path: path.stem)
def test_requesty_rows_come_through(path: Path) -> None:
    flags = {
        Capability.VISION: "supports_vision",
        Capability.TOOLS: "supports_tool_calling",
        Capability.REASONING: "supports_reasoning",
        Capability.COMPUTER_USE: "supports_computer_use",
        Capability.PROMPT_CACHING: "supports_caching",
        Capability.JSON_MODE: "supports_output_json_object",
        Capability.STRUCTURED_OUTPUT: "supports_output_json_schema",
        Capability.WEB_SEARCH: "supports_web_search",
        Capability.IMAGE_OUTPUT: "supports_image_generation",
    }
    for raw, facts in read(path):
        price = facts.price
        assert price is not None
        assert price.input == money(raw["input_price"])
        assert price.output == money(raw["output_price"])
        assert price.cache_read == money(raw.get("cached_price"))
        assert price.cache_write == money(raw.get("caching_price"))
        bands = [band for band in raw.get("pricing", ()) if band["prompt_tokens_threshold"]]
        assert [t.above_prompt_tokens for t in price.tiers] == [b["prompt_tokens_threshold"] for b in bands]
        assert [in_tier(t, REQUESTY_TIER) for t in price.tiers] == [
            {name: Decimal(b[name]) for name in b if name not in {"prompt_tokens_threshold", "caching_5m_price"}}
            for b in bands
        ]
        assert facts.context_max == (raw["context_window"] or None)
        assert facts.output_max == (raw["max_output_tokens"] or None)
        assert facts.released_at == datetime.fromtimestamp(raw["created"], UTC)
        assert facts.lab == raw.get("model_lab")
        assert facts.open_weights == raw.get("open_weights")
        assert facts.expires_at == (datetime.fromtimestamp(raw["retires"], UTC) if "retires" in raw else None)
        for capability, field in flags.items():
            assert knows(facts, capability) is raw.get(field)


@pytest.mark.parametrize("path", ENDPOINTS, ids=lambda path: path.stem)
def test_every_recorded_endpoint_is_kept_under_a_name_of_its_own(path: Path) -> None:
    raw = json.loads(path.read_text(encoding="utf-8"))["data"]["endpoints"]
    found = parse_endpoints(adapters()["openrouter"], path.read_bytes())
    meaning = {0: HealthStatus.HEALTHY, -2: HealthStatus.DEGRADED, -5: HealthStatus.DOWN}
    assert len({e.name for e in found}) == len(found) == len(raw)
    assert [e.status for e in found] == [meaning[r["status"]] for r in raw]
    assert [e.price.input if e.price else None for e in found] == [money(r["pricing"]["prompt"]) for r in raw]
    assert all(e.uptime_30m is None or 0 <= e.uptime_30m <= 1 for e in found)

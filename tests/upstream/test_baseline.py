"""The packaged data gives a first list where neither store nor provider has one."""

from decimal import Decimal

from catalogue.identity import family
from catalogue.vocabulary import Capability
from providers._kit.registry import adapters
from upstream.baseline import baseline
from upstream.upstream import Upstream


def upstream(provider_id: str, adapter_id: str) -> Upstream:
    adapter = adapters()[adapter_id]
    return Upstream(
        id=provider_id, name=provider_id, adapter=adapter, base_url=adapter.base_url or "http://127.0.0.1:1"
    )


def test_known_providers_have_a_dated_baseline_in_usd_per_token() -> None:
    packaged = baseline(upstream("openrouter", "openrouter"))
    listing = packaged.listing
    sonnet = listing.models["openrouter/anthropic/claude-sonnet-4.5"]
    assert not listing.is_reference
    assert packaged.as_of is not None
    assert len(listing.models) > 100
    assert sonnet.price is not None
    assert sonnet.price.input == Decimal("0.000003")
    assert {Capability.CHAT, Capability.TOOLS, Capability.VISION} <= sonnet.capabilities
    assert (family(sonnet), sonnet.premium) == ("claude-sonnet-4-5", True)


def test_every_baseline_id_belongs_to_its_provider() -> None:
    for provider_id in ("openrouter", "requesty"):
        listing = baseline(upstream(provider_id, provider_id)).listing
        assert listing.models
        assert all(i == facts.id and i.startswith(f"{provider_id}/") for i, facts in listing.models.items())


def test_an_endpoint_under_a_name_of_its_own_has_no_baseline() -> None:
    packaged = baseline(upstream("my-gateway", "openai-compatible"))
    assert (dict(packaged.listing.models), packaged.as_of) == ({}, None)

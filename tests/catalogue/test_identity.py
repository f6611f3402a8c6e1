"""The same model has the same family at every provider; capabilities and prices follow from what is said."""

from decimal import Decimal

import pytest

from catalogue.facts import Price, PriceItem, PriceTier
from catalogue.identity import family_key
from providers._kit.capabilities import for_code
from providers._kit.pricing import PriceNames, premium
from providers._kit.row import Row


@pytest.mark.parametrize(
    "spelling",
    [
        "anthropic/claude-sonnet-4.5",
        "claude-sonnet-4-5",
        "anthropic/claude-sonnet-4.5:batch",
        "bedrock/claude-sonnet-4-5@eu-central-1",
        "~anthropic/Claude-Sonnet-4.5",
        "anthropic/claude-sonnet-4-5-20250929",
        "vertex/claude-sonnet-4-5@20250929",
        "anthropic/claude-4.5-sonnet",
        "anthropic/claude-4-5-sonnet-20250929",
    ],
)
def test_spellings_of_one_model_share_a_family(spelling: str) -> None:
    assert family_key(spelling) == "claude-sonnet-4-5"


def test_weights_and_ids_meet_in_one_family() -> None:
    assert family_key("meta-llama/Llama-3.3-70B-Instruct") == family_key("", None, "meta/llama-3.3-70b-instruct:free")


def test_different_models_keep_different_families() -> None:
    names = [
        "gpt-4o",
        "gpt-4o-2024-11-20",
        "gpt-4o-mini",
        "deepseek-r1",
        "deepseek-r1-0528",
        "gpt-4.5",
        "gpt-5.4",
        "gemini-2.5-pro-preview-05-06",
        "gemini-2.5-pro-preview-06-05",
        "claude-3.5-sonnet",
        "claude-3.5-sonnet-20240620",
        "claude-3.5-sonnet-20241022",
    ]
    assert len({family_key(name) for name in names}) == len(names)


def test_a_snapshot_that_is_told_apart_by_its_date_is_found_in_every_spelling_of_it() -> None:
    spellings = [
        "anthropic/claude-3.5-sonnet-20241022:beta",
        "claude-3-5-sonnet@20241022",
        "claude-sonnet-3.5-20241022@eu",
    ]
    assert {family_key(name) for name in spellings} == {"claude-sonnet-3-5-20241022"}


@pytest.mark.parametrize("nothing", [(), (None,), ("",), (" ",), ("@eu",), ("x/",)])
def test_a_family_is_never_made_up(nothing: tuple[str | None, ...]) -> None:
    assert family_key(*nothing) in {None, "x"}


@pytest.mark.parametrize(
    "name", ["qwen/qwen3-coder-480b", "Codestral 2508", "gpt-5.1-codex-mini", "devstral-small", "code"]
)
def test_models_made_for_code_are_known_by_their_name(name: str) -> None:
    assert for_code(name) is True


@pytest.mark.parametrize("name", ["coding/claude-4-sonnet", "cross-encoder", "decoder-8b", "gpt-5", "barcode", None])
def test_other_names_say_nothing_about_code(name: str | None) -> None:
    assert for_code(name) is None


def test_a_model_is_free_only_where_all_that_is_stated_is_zero() -> None:
    zero, cent = Decimal(0), Decimal("0.01")
    free = Price(input=zero, output=zero)
    assert premium(free) is False
    assert premium(free, billed_elsewhere=True) is None
    assert premium(free.model_copy(update={"tiers": (PriceTier(above_prompt_tokens=1, input=cent),)})) is True
    assert premium(free.model_copy(update={"other": (PriceItem(kind="audio", unit="token", amount=cent),)})) is True
    dear_tier = PriceTier(above_prompt_tokens=1, other=(PriceItem(kind="audio", unit="token", amount=cent),))
    assert premium(free.model_copy(update={"tiers": (dear_tier,)})) is True
    assert premium(Price(input=zero)) is None
    assert premium(None) is None


def test_a_price_without_an_amount_is_not_published() -> None:
    names = PriceNames(input=("in",), output=("out",), request=("each",))
    assert names.price(Row({"in": None, "out": "-1"}, "acme")) is None
    assert names.price(Row({"each": 0}, "acme")) == Price(request=Decimal(0))

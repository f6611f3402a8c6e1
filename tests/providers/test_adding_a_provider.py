"""The guide's provider is a working one, as short as promised."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import providers._kit
from catalogue.facts import ModelFacts
from providers._kit.adapter import Adapter
from providers._kit.row import Row

GUIDE = (Path(__file__).parents[2] / "docs" / "adding-a-provider.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    assert found
    return found.group(1)


def test_the_guides_provider_reads_the_guides_fixture() -> None:
    code = block("python")
    module: dict[str, Any] = {}
    exec(code, module)  # noqa: S102  the guide's own code is what is tested
    adapter = module["ADAPTER"]
    assert isinstance(adapter, Adapter)
    assert code.count("\n") <= 42, "so that a map of tags still fits under fifty lines"
    rows = json.loads(block("json"), parse_float=Decimal)["data"]
    reasoner, coder = (adapter.read(Row(values, adapter.id)) for values in rows[:2])
    assert isinstance(reasoner, ModelFacts)
    assert isinstance(coder, ModelFacts)
    assert reasoner.price is not None
    assert (reasoner.price.input, reasoner.premium, reasoner.output_max) == (Decimal("0.0000025"), True, None)
    assert (coder.premium, coder.deprecated) == (False, True)


def test_every_getter_and_field_that_the_guide_names_exists() -> None:
    assert all(hasattr(Row, getter) for getter in re.findall(r"\brow\.(\w+)\(", GUIDE))
    fields = re.findall(r"^\| `(\w+)`(?:, `(\w+)`)? \| `row\.", GUIDE, re.MULTILINE)
    assert {name for names in fields for name in names if name} <= set(ModelFacts.model_fields)
    assert len(fields) == 6


def test_every_function_that_the_guide_explains_is_given_by_the_one_import() -> None:
    named = re.findall(r"`(\w+)\([\w, *…]*\)`", GUIDE)
    assert set(named) == {"stated", "from_modalities", "for_code", "premium"}
    assert set(named) <= set(providers._kit.__all__)


def test_what_is_absent_is_what_the_guide_says() -> None:
    row = Row({"list": [], "zero": 0, "empty": "", "wrong": {}}, "acme")
    getters = (row.name, row.text, row.count, row.flag, row.usd, row.start, row.end, row.cutoff, row.words)
    assert [getter("none", "wrong") for getter in getters] == [None] * len(getters)
    assert (row.modalities("none"), row.rows("none"), row.row("none").name("a")) == (None, (), None)
    assert [row.name("empty"), row.count("zero"), row.usd("zero")] == [None, None, 0]
    assert row.words("list") == ()

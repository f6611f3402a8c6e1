"""The guide's provider is a working one, as short as promised."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

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
    assert code.count("\n") < 50
    rows = json.loads(block("json"), parse_float=Decimal)["data"]
    reasoner, coder = (adapter.read(Row(values, adapter.id)) for values in rows[:2])
    assert isinstance(reasoner, ModelFacts)
    assert isinstance(coder, ModelFacts)
    assert reasoner.price is not None
    assert (reasoner.price.input, reasoner.premium, reasoner.output_max) == (Decimal("0.0000025"), True, None)
    assert (coder.premium, coder.deprecated) == (False, True)

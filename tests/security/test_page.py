"""The page about security names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")


def test_every_test_that_the_page_names_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
    missing = [f"{path}::{name}" for path, name in named if f"def {name}(" not in (ROOT / path).read_text("utf-8")]
    assert missing == []


def test_every_attack_has_a_defence_and_a_test() -> None:
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in PAGE.splitlines() if line[:1] == "|"]
    attacks = [row for row in rows if row[0] != "Attack" and not row[0].startswith("---")]
    assert len(attacks) > 40
    for attack in attacks:
        assert len(attack) == 3, attack
        assert "::test_" in attack[2], attack


def test_every_script_that_the_page_names_is_there() -> None:
    for script in re.findall(r"`(benchmarks/\w+\.py)`", PAGE):
        assert (ROOT / script).is_file(), script

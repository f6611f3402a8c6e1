"""The page on faults names tests that exist, and says something of every fault that the practice upstream plays."""

import ast
import re
from pathlib import Path

import pytest

from tests.practice.faults import Fault

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "faults.md").read_text("utf-8")
NAMED = re.findall(r"`(?:tests/[\w/]+/)?(test_\w+\.py)::(test_\w+)(?:\[<fault>\])?`", PAGE)


def declared_in(name: str) -> set[str]:
    """The tests in every module of this name."""
    modules = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "tests").rglob(name)]
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for module in modules for node in ast.walk(module) if isinstance(node, functions)}


@pytest.mark.parametrize(("module", "test"), NAMED)
def test_every_test_that_it_names_exists(module: str, test: str) -> None:
    assert test in declared_in(module)


def test_every_row_names_a_test_or_is_of_the_first_table() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and "::" not in line]
    assert rows
    assert all(re.match(r"\| (fault|what happens|`)", row) for row in rows)


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_has_its_row(fault: Fault) -> None:
    assert re.search(rf"^\| .*`{re.escape(fault.value)}`", PAGE, re.MULTILINE)

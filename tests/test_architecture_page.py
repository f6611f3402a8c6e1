"""The page of the architecture names files and functions that exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
FILES = sorted(set(re.findall(r"`([a-z_]+(?:/[a-z_]+)+\.py)`", PAGE)))
WAYS = PAGE[PAGE.index("## The way of a list") : PAGE.index("## The folders")]


def steps() -> list[tuple[str, str]]:
    """Each function of a way beside its file."""
    found, file = [], ""
    for named in re.findall(r"`([\w./]+)`", WAYS):
        if named.endswith(".py"):
            file = named
        elif not named.startswith("benchmarks"):
            found.append((file, named))
    return found


def functions_in(file: str) -> set[str]:
    """The functions of a file, those of a class under its name."""
    tree, kinds = ast.parse((ROOT / file).read_text("utf-8")), (ast.FunctionDef, ast.AsyncFunctionDef)
    names = {node.name for node in tree.body if isinstance(node, kinds)}
    for kind in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        names |= {f"{kind.name}.{node.name}" for node in kind.body if isinstance(node, kinds)}
    return names


@pytest.mark.parametrize("file", FILES)
def test_every_file_that_it_names_exists(file: str) -> None:
    assert (ROOT / file).exists()


@pytest.mark.parametrize(("file", "function"), steps())
def test_every_step_of_a_way_is_a_function_of_its_file(file: str, function: str) -> None:
    assert function in functions_in(file)

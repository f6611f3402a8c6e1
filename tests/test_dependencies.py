"""Dependencies: imports are declared, and private parts of a package are used only in the version that was read."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PRODUCT = tuple(PROJECT["tool"]["importlinter"]["root_packages"])
OURS = frozenset({*PRODUCT, "tests", "benchmarks", "catalogue_client"})
READ = {
    "aiohttp": ("3.14.5", "upstream/http.py sets ClientSession._retry_connection", "tests/upstream"),
    "graphql-core": (
        "3.3.2",
        "execution/ subclasses and constructs its Executor",
        "tests/execution, tests/server and tests/security",
    ),
    "strawberry-graphql": ("0.341.2", "execution/executor.py runs Schema._schema", "tests/execution and tests/server"),
}
"""Packages whose private parts are used: the version that was read, the use, and the tests to run after an upgrade.

The server itself refuses to start with another uvicorn, see `server.wire.uvicorn_protocol`."""


def _names(requirements: Sequence[str]) -> set[str]:
    return {_normal(re.split(r"[^\w.-]", requirement, maxsplit=1)[0]) for requirement in requirements}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _imported(folders: Sequence[str]) -> Iterator[str]:
    """The top-level modules of others that the files import."""
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    yield from (alias.name.partition(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    yield node.module.partition(".")[0]


def _distributions(folders: Sequence[str]) -> set[str]:
    foreign = set(_imported(folders)) - OURS - sys.stdlib_module_names
    known = packages_distributions()
    return {_normal(known[module][0]) for module in foreign}


def test_every_package_that_the_product_imports_is_declared() -> None:
    assert _distributions(PRODUCT) <= _names(PROJECT["project"]["dependencies"])


def test_every_package_that_tests_and_benchmarks_import_is_declared() -> None:
    declared = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["dev"]]
    assert _distributions(("tests", "benchmarks")) <= _names(declared)


@pytest.mark.parametrize("package", READ)
def test_private_parts_are_of_the_version_that_was_read(package: str) -> None:
    read, use, tests = READ[package]
    assert version(package) == read, (
        f"{use}, as it is in {package} {read}: read what {package} {version(package)} changed there, run {tests}, "
        "then change the version here."
    )

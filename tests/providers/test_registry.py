"""Every adapter stands by itself: found by its file, unlike any other, and nothing of it outside that file."""

import ast
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import providers
from providers._kit.adapter import Adapter
from providers._kit.registry import adapters

FOLDER = Path(providers.__file__).parent
MODULES = sorted(path for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))
CODE = [
    path
    for folder in ("catalogue", "polling", "providers/_kit", "upstream")
    for path in (FOLDER.parent / folder).glob("*.py")
]


def test_every_public_module_is_one_adapter_under_an_id_of_its_own() -> None:
    assert len(adapters()) == len(MODULES)


@pytest.mark.parametrize("adapter", adapters().values(), ids=lambda adapter: adapter.id)
def test_an_adapter_says_where_and_how_it_is_called(adapter: Adapter) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", adapter.id)
    urls = [url for url in (adapter.website, adapter.base_url) if url]
    assert all(urlsplit(url).scheme == "https" for url in urls)
    assert adapter.list_path.startswith("/")
    assert adapter.calls.requests_per_minute >= adapter.calls.burst > 0


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_provider_imports_another(path: Path) -> None:
    imports = [
        node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)
    ]
    ours = {node.module for node in imports if node.module and node.module.startswith("providers")}
    assert all(module.startswith("providers._kit") for module in ours)


def test_no_provider_is_named_outside_its_file() -> None:
    """A text that is an id, or a path below one, decides by it; prose may use the word."""
    named = {adapter.id for adapter in adapters().values() if adapter.base_url}
    leaks = {path.name for path in CODE if named & {text.partition("/")[0].lower() for text in _texts(path)}}
    assert leaks == set()


def _texts(path: Path) -> set[str]:
    constants = (
        node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Constant)
    )
    return {constant.value for constant in constants if isinstance(constant.value, str)}

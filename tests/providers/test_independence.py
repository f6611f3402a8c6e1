"""No provider imports another, whichever comes next."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[2]


def test_a_provider_that_imports_another_breaks_the_contract(tmp_path: Path) -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    for package in settings["tool"]["importlinter"]["root_packages"]:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "providers" / "newcomer.py").write_text('"""One more."""\n\nfrom providers.openrouter import read\n')
    lint = Path(sys.executable).with_name("lint-imports")
    checked = subprocess.run(  # noqa: S603 - the linter that the project itself uses
        [lint, "--no-cache"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 1
    assert "providers.newcomer -> providers.openrouter" in checked.stdout

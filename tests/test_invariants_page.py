"""The page of invariants names tests that exist."""

import re
from pathlib import Path

import pytest

from tests.endtoend.test_faults_page import declared_in

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "invariants.md").read_text("utf-8")
NAMED = re.findall(r"`(test_\w+\.py)::(test_\w+)`", PAGE)


@pytest.mark.parametrize(("module", "test"), NAMED)
def test_every_test_that_it_names_exists(module: str, test: str) -> None:
    assert test in declared_in(module)


def test_every_invariant_has_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| invariant")]
    assert rows
    assert all("::" in row for row in rows)

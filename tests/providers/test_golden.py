"""Every fixture reads as its golden file says; a new provider is covered by its files alone."""

from pathlib import Path

import pytest

from providers._kit.registry import adapters
from tests.providers import golden

FIXTURES = golden.fixtures()


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.stem)
def test_a_fixture_reads_as_its_golden_file_says(fixture: Path) -> None:
    expected = golden.GOLDEN / fixture.name
    assert expected.exists(), f"run `make generate`, read {expected.name} and commit it"
    assert golden.rendered(fixture) == expected.read_text(encoding="utf-8")


def test_every_adapter_has_a_fixture() -> None:
    assert {golden.adapter_of(fixture) for fixture in FIXTURES} == set(adapters())


def test_no_golden_file_outlives_its_fixture() -> None:
    assert {path.name for path in golden.GOLDEN.glob("*.json")} == {path.name for path in FIXTURES}


def test_writing_the_golden_files_changes_nothing_and_removes_orphans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in golden.GOLDEN.glob("*.json")}
    monkeypatch.setattr(golden, "GOLDEN", tmp_path)
    (tmp_path / "nobody.json").write_text("{}")
    golden.write()
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.json")} == committed

"""The README's table names every provider and is put between its marks, nothing else touched."""

import pytest

from providers._kit.registry import adapters
from tests.providers.table import BEGIN, END, placed, table


def test_the_table_has_a_row_for_every_adapter() -> None:
    rows = table().splitlines()[2:]
    assert len(rows) == len(adapters())
    assert all(f"`{adapter_id}`" in row for adapter_id, row in zip(adapters(), rows, strict=True))


def test_the_table_replaces_what_stands_between_the_marks() -> None:
    readme = f"# Title\n{BEGIN}\nold\n{END}\nrest\n"
    assert placed(readme) == f"# Title\n{BEGIN}\n{table()}\n{END}\nrest\n"
    assert placed(placed(readme)) == placed(readme)


def test_a_readme_without_the_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="marks"):
        placed("# Title\n")

"""Variables are bounded in number before anything looks at them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.errors import DocumentTooLarge
from execution.prepared import check_values

JSON = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=30,
)


def count(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(count(each) for each in inner)


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_every_value_counts_once_wherever_it_is(variables: dict[str, object]) -> None:
    total = count(variables) - 1
    check_values(variables, total)
    if total:
        with pytest.raises(DocumentTooLarge):
            check_values(variables, total - 1)


def test_deep_variables_are_counted_without_recursion() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(DocumentTooLarge):
        check_values({"a": deep}, 2_000)

"""Rows are read whatever stands in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.vocabulary import Modality
from providers._kit.row import Row, RowError
from providers.openai_compatible import ADAPTER as ANY
from providers.openrouter import ADAPTER as OPENROUTER
from providers.requesty import ADAPTER as REQUESTY

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    [
        "architecture",
        "top_provider",
        "pricing",
        "created",
        "name",
        "description",
        "context_length",
        "supported_parameters",
        "reasoning",
        "expiration_date",
        "alias_target",
        "hugging_face_id",
        "input_price",
        "retires",
        "max_output_tokens",
        "api",
        "status",
        "type",
    ]
)


def row(**values: object) -> Row:
    return Row(values, "acme")


@pytest.mark.parametrize(
    "own_id", [None, "", "  ", 7, "x" * 301, "two\nlines", "\ud800", ["a"], "../../x", "a/./b", ".."]
)
def test_a_row_without_a_usable_id_is_garbage(own_id: object) -> None:
    with pytest.raises(RowError):
        row(id=own_id).id("id")


def test_the_first_usable_synonym_counts() -> None:
    given_ = row(a=None, b="", c="said", d="too late")
    assert given_.name("a", "b", "c", "d") == "said"
    assert row(a=0, b="4096").count("a", "b") == 4096


@pytest.mark.parametrize("stated", [None, 0, -1, 1.5, "", "many", True, [], 10**10])
def test_what_is_no_positive_whole_number_is_no_count(stated: object) -> None:
    assert row(n=stated).count("n") is None


@pytest.mark.parametrize("stated", [None, 0, 1, "true", []])
def test_only_yes_and_no_are_flags(stated: object) -> None:
    assert row(f=stated).flag("f") is None
    assert row(f=False).flag("f") is False


def test_a_missing_list_is_not_an_empty_one() -> None:
    assert row().modalities("m") is None
    assert row(m=None).modalities("m") is None
    assert row(m=[]).modalities("m") == ()
    assert row(m=["pdf", "text", "image", "image", "smell", 3]).modalities("m") == (
        Modality.TEXT,
        Modality.IMAGE,
        Modality.FILE,
    )


def test_texts_lose_what_cannot_be_printed_and_are_bounded() -> None:
    assert row(n="Acme\x00: Two\u202e Words\ud800").name("n") == "Acme: Two Words"
    assert row(d="one\ntwo\x07").text("d") == "one\ntwo"
    assert row(w=["mo\ud800n", "\ud800", "a\nb\x1b[31m"]).words("w") == ("mon", "ab[31m")
    assert len(row(d="x" * 9000).text("d") or "") == 4000
    assert len(row(n="x" * 9000).name("n") or "") == 300


@given(st.dictionaries(FIELDS, JSON, max_size=8))
def test_no_field_of_a_row_with_an_id_makes_it_unreadable(values: dict[str, object]) -> None:
    for adapter in (ANY, OPENROUTER, REQUESTY):
        facts = adapter.read(Row(values | {"id": "model"}, "acme"))
        assert facts is not None
        assert facts.id == "acme/model"

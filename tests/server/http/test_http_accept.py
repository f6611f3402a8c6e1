"""What is answered to whom: the Accept header."""

import pytest

from server.http.accept import LONGEST, MOST_RANGES, MediaType, acceptable
from tests.effort import effort

J, G = MediaType.JSON, MediaType.GRAPHQL


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        (None, J),
        ("", J),
        ("*/*", J),
        ("application/*", J),
        ("application/json", J),
        ("application/graphql-response+json", G),
        ("application/graphql-response+json, application/json", G),
        ("application/json, application/graphql-response+json", J),
        ("application/json;q=0.5, application/graphql-response+json", G),
        ("application/graphql-response+json;q=0.1, application/json", J),
        ("application/graphql-response+json;q=0, application/json", J),
        ("application/json;q=0, */*", G),
        ("APPLICATION/JSON; charset=utf-8", J),
        ("image/png", None),
        ("application/json;q=0", None),
        ("text/event-stream", None),
        ("nonsense, ;;;, application/json;q=high", J),
    ],
)
def test_the_best_of_the_acceptable_media_types_is_answered(header: str | None, answer: MediaType | None) -> None:
    assert acceptable(header).answer is answer


@pytest.mark.parametrize(
    ("header", "stream", "first"),
    [
        ("text/event-stream", True, True),
        ("text/event-stream, application/json", True, True),
        ("application/graphql-response+json, application/json, text/event-stream, multipart/mixed", True, False),
        ("text/event-stream;q=0.9, application/json", True, False),
        ("text/event-stream;q=0, application/json", False, False),
        ("*/*", False, False),
        ("text/*", False, False),
    ],
)
def test_events_are_streamed_only_where_they_are_named(header: str, stream: bool, first: bool) -> None:  # noqa: FBT001 - a table's columns
    found = acceptable(header)
    assert (found.stream, found.stream_first) == (stream, first)


@pytest.mark.parametrize(
    "header", ["*/*," * 15_000, "application/json" + ";a=b" * 15_000, ",".join(["*/*"] * (MOST_RANGES + 1)), "," * 50]
)
def test_of_a_header_that_is_too_long_nothing_is_acceptable_nor_weighed(header: str) -> None:
    assert effort(lambda: acceptable(header)) < 10
    found = acceptable(header)
    assert (found.answer, found.stream) == (None, False)


def test_a_header_of_the_greatest_length_is_weighed() -> None:
    ranges = ",".join(["image/png"] * (MOST_RANGES - 1)) + ",application/json;a="
    assert acceptable(ranges.ljust(LONGEST, "b")).answer is J

"""The custom scalars: times, and positions in the change log."""

from datetime import UTC, datetime
from typing import NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

Cursor = NewType("Cursor", str)


def _moment(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError("A DateTime is written as an ISO 8601 string.")  # noqa: TRY004 - graphql-core expects a ValueError
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("A DateTime is written as in 2026-05-01T12:00:00Z.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _cursor(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("A Cursor is a string that the catalogue gave.")  # noqa: TRY004 - graphql-core expects a ValueError
    return value


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A time in ISO 8601, such as `2026-05-01T12:00:00Z`. A time without an offset is taken as UTC.",
        serialize=datetime.isoformat,
        parse_value=_moment,
    ),
    Cursor: strawberry.scalar(
        name="Cursor",
        description="An opaque position in the change log, the ordered record of all changes.",
        parse_value=_cursor,
    ),
}
"""The definition of each scalar, by its Python type."""

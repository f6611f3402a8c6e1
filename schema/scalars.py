"""The scalars of our own: moments in UTC, and positions in the log of changes."""

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
        description="A moment in ISO 8601; one that is sent without an offset is taken as UTC.",
        serialize=datetime.isoformat,
        parse_value=_moment,
    ),
    Cursor: strawberry.scalar(
        name="Cursor", description="An opaque position in the ordered log of changes.", parse_value=_cursor
    ),
}
"""How each type is read and written."""
